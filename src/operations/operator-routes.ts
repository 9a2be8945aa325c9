import { addDeadLetterRoutes } from './api-dead-letters.js'
import { addDeliveryRoutes } from './api-deliveries.js'
import { addDocsRoutes, type DocsRouteOptions } from './api-docs.js'
import { addForwarderRoutes, type ForwarderRouteOptions } from './api-forwarders.js'
import { addQuarantineRoutes } from './api-quarantine.js'
import { addStatusRoutes, type StatusRouteOptions } from './api-status.js'
import type { LiveFeed } from './live-feed.js'
import type { AdminApp } from './route-types.js'

export interface OperatorRouteOptions extends StatusRouteOptions, ForwarderRouteOptions, DocsRouteOptions {
  readonly liveFeed: Pick<LiveFeed, 'addRoutes'>
}

/** Adds every route of the operator's listener but the page's. */
export function addOperatorRoutes (app: AdminApp, options: OperatorRouteOptions): void {
  addStatusRoutes(app, options)
  addDeliveryRoutes(app, options)
  addQuarantineRoutes(app, options)
  addDeadLetterRoutes(app, options)
  addForwarderRoutes(app, options)
  options.liveFeed.addRoutes(app)
  addDocsRoutes(app, options)
}
