import { Server } from 'node:net'
import type { FastifyBaseLogger } from 'fastify'
import { createHttpApp, type App } from '../http/app.js'
import { framingFault } from '../http/framing.js'
import { healthRoutes, type HealthRouteOptions } from './health-routes.js'
import { createListener, type ListenerLimits } from '../http/listener.js'
import { notFound } from '../http/not-found.js'
import { createOriginCheck, type OriginOptions } from './origin.js'
import { createRefusal } from './refusal.js'
import { webhookRoutes, type WebhookRouteOptions } from './webhook-routes.js'

export interface AppOptions extends Omit<WebhookRouteOptions, 'checkOrigin' | 'onRefusal' | 'limitBytes' | 'arrivingBytes'>, Omit<OriginOptions, 'mayLog'>, HealthRouteOptions, ListenerLimits {
  readonly logger: FastifyBaseLogger
  readonly bodyLimitBytes: number
  /** How much of all bodies together may have arrived that are not whole yet, in bytes; 32 MiB, or two bodies, where absent. */
  readonly arrivingBytes?: number
  /** Whose `X-Forwarded-For` is believed. */
  readonly trustProxy: boolean | readonly string[]
}

/** Far more than the sender ever has on its way at once. */
const ARRIVING_BYTES = 33_554_432

/** How long the requests are waited for that are on their way when the end begins, in milliseconds. */
const LAST_REQUESTS_MS = 250

const UNKNOWN_PATH = 'Webhooks go to /webhooks, to /webhooks/<event type> or to /webhooks/custom/<name>, with a name from CUSTOM_WEBHOOKS.'
const UNKNOWN_NAME = 'CUSTOM_WEBHOOKS does not have this name. Set it to the names that are to be taken, such as CUSTOM_WEBHOOKS=crm, and restart the service.'

/** The public HTTP application, not yet listening. */
export function createApp (options: AppOptions): App {
  const { onAnswer, bodyLimitBytes, arrivingBytes = Math.max(ARRIVING_BYTES, 2 * bodyLimitBytes) } = options
  const listener = createListener({
    ...options,
    onClientError: (problem) => {
      onAnswer?.({ outcome: 'refused', status: problem.status, ms: 0, code: problem.code, toWebhook: false, sourceAddress: undefined, proven: undefined })
    }
  })
  const refuse = createRefusal({ listener, onAnswer, toWebhook: false })
  const app = createHttpApp({
    logger: options.logger,
    listener,
    answerError: refuse,
    trustProxy: options.trustProxy,
    // While we stop, what still comes in on open connections is accepted like everything before it.
    return503OnClosing: false,
    routerOptions: { caseSensitive: false, ignoreTrailingSlash: true }
  })
  // Node would close on a client that has said all that it has to say, without the answer that it waits for. The webhook would
  // be stored, and sent again until the sender gives up.
  Object.assign(app.server, { httpAllowHalfOpen: true })

  // Each answer is now the last one on its connection, and no other is taken. To close an HTTP server would close what is idle at once,
  // with the requests that are on their way on it.
  app.addHook('preClose', async () => {
    Server.prototype.close.call(app.server)
    await listener.closed(LAST_REQUESTS_MS)
  })
  app.removeAllContentTypeParsers()
  app.addHook('onRequest', (request, _reply, next) => { next(framingFault(request.raw)) })
  app.register(notFound, { detail: UNKNOWN_PATH })
  app.register(notFound, { detail: UNKNOWN_NAME, prefix: '/webhooks/custom' })
  app.register(healthRoutes, options)
  app.register(webhookRoutes, {
    ...options,
    limitBytes: bodyLimitBytes,
    arrivingBytes,
    checkOrigin: createOriginCheck({ ...options, mayLog: listener.mayLog }),
    onRefusal: createRefusal({ listener, onAnswer, toWebhook: true })
  })
  return app
}
