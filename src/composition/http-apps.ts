import type { Logger } from 'pino'
import type { ActionList } from '../admin-api/action-list.js'
import { createAdminApp } from '../admin-api/admin-app.js'
import type { LiveFeed } from '../admin-api/live-feed.js'
import { addPageRoutes } from '../admin-api/page-routes.js'
import type { OperatorRouteOptions } from '../admin-api/operator-routes.js'
import { allTokens } from '../config/decode-token.js'
import type { Settings } from '../config/settings.js'
import { DAY_MS, type Clock } from '../delivery/clock.js'
import { createNewId } from '../delivery/new-id.js'
import type { App } from '../http/app.js'
import { createApp, type AppOptions } from '../ingress/app.js'
import { createLateness } from '../ingress/lateness.js'
import { createSourceFilter } from '../voucherify/source-addresses.js'
import { describeServiceApi } from './describe-service-api.js'
import type { Watch } from './watch.js'

interface HttpAppOptions {
  readonly settings: Settings
  readonly logger: Logger
  readonly clock: Clock
  readonly watch: Watch
}

export interface PublicAppOptions extends HttpAppOptions, Pick<AppOptions, 'journal' | 'onAnswer'> {}

export interface OperatorAppOptions extends HttpAppOptions, Pick<OperatorRouteOptions, 'operator' | 'status' | 'forwarders' | 'lastOutcome'> {
  readonly version: string
  readonly liveFeed: LiveFeed
  readonly actionList: ActionList
}

/** Makes the public application, which accepts webhooks, from the settings. */
export function createPublicApp ({ settings, logger, clock, watch, journal, onAnswer }: PublicAppOptions): App {
  return createApp({
    logger,
    journal,
    newId: createNewId(clock.now),
    now: clock.now,
    lateness: createLateness({ windowMs: settings.DEDUPE_WINDOW_DAYS * DAY_MS, clock, logger }),
    dedupeUnidentifiedMs: settings.DEDUPE_UNIDENTIFIED_SECONDS * 1000,
    bodyLimitBytes: settings.BODY_LIMIT_BYTES,
    trustProxy: settings.TRUST_PROXY,
    secrets: settings.VOUCHERIFY_WEBHOOK_SECRETS,
    hostNames: [settings.HOST, ...(settings.PUBLIC_URL === undefined ? [] : [new URL(settings.PUBLIC_URL).hostname])],
    requiredHeaders: settings.REQUIRED_HEADERS,
    sourceFilter: settings.ALLOWED_SOURCES.length === 0
      ? undefined
      : { allows: createSourceFilter(settings.ALLOWED_SOURCES), mode: settings.ALLOWED_SOURCES_MODE },
    policy: { invalid: settings.INVALID_EVENTS, unvalidated: settings.UNVALIDATED_EVENTS, rawPayloads: settings.RAW_PAYLOADS },
    customWebhooks: settings.CUSTOM_WEBHOOKS,
    readiness: watch.readiness,
    onAnswer
  })
}

/** Makes the operator's application from the settings. */
export function createOperatorApp ({ settings, logger, clock, watch, version, liveFeed, actionList, ...options }: OperatorAppOptions): App {
  return createAdminApp({
    ...options,
    logger,
    host: settings.ADMIN_HOST,
    tokens: allTokens(settings),
    // `TRUST_PROXY=true` means that every webhook comes through a proxy. That says nothing about the clients of this listener, so it trusts no
    // proxy then.
    trustProxy: Array.isArray(settings.TRUST_PROXY) ? settings.TRUST_PROXY : [],
    metrics: watch.metrics,
    drift: watch.drift,
    resetDrift: watch.resetDrift,
    retryBudget: watch.retryBudget,
    missingEvents: watch.missingEvents,
    history: watch.history,
    showNames: settings.PAGE_SHOWS_NAMES,
    webhookStatus: watch.webhookStatus,
    onChange: liveFeed.changed,
    onAction: actionList.add,
    actions: actionList.recent,
    now: clock.now,
    monotonic: clock.monotonic,
    liveFeed,
    describe: async () => await describeServiceApi({ version }),
    addPage: (app) => { addPageRoutes(app, { directory: new URL('../page/', import.meta.url) }) }
  })
}
