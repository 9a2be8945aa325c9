import { addBulkRoutes, type BulkRouteOptions } from './api-bulk.js'
import { addDeadLetterRoutes } from './api-dead-letters.js'
import { addDeliveryRoutes } from './api-deliveries.js'
import { addDocsRoutes, type DocsRouteOptions } from './api-docs.js'
import { addForwarderRoutes, type ForwarderRouteOptions } from './api-forwarders.js'
import { addQuarantineRoutes } from './api-quarantine.js'
import { addStatusRoutes, type StatusRouteOptions } from './api-status.js'
import type { NoteAction } from './audit.js'
import { createLoyaltyReader } from './loyalty.js'
import type { LiveFeed } from './live-feed.js'
import type { App } from '../http/app.js'

export interface OperatorRouteOptions extends Pick<BulkRouteOptions, 'rememberWho' | 'actions' | 'now'>, StatusRouteOptions, ForwarderRouteOptions, DocsRouteOptions {
  readonly liveFeed: Pick<LiveFeed, 'addRoutes'>
  readonly noteAction: NoteAction
  /** Whether tier moves include customers' names. */
  readonly showNames?: boolean
}

/** Adds every route of the operator's listener except the page's. */
export function addOperatorRoutes (app: App, options: OperatorRouteOptions): void {
  addStatusRoutes(app, options)
  const loyalty = createLoyaltyReader({ operator: options.operator, showNames: options.showNames ?? false })
  addDeliveryRoutes(app, { ...options, loyalty })
  addQuarantineRoutes(app, { ...options, loyalty })
  addDeadLetterRoutes(app, { ...options, loyalty })
  addBulkRoutes(app, options)
  addForwarderRoutes(app, options)
  options.liveFeed.addRoutes(app)
  addDocsRoutes(app, options)
}
