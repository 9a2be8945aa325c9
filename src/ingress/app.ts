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
  /**
   * The most bytes of incomplete bodies that may have arrived, over all requests. If absent, 32 MiB or two of the largest bodies, whichever is
   * more.
   */
  readonly arrivingBytes?: number
  /** The proxies whose `X-Forwarded-For` is trusted. */
  readonly trustProxy: boolean | readonly string[]
}

/** Far more than the sender ever has under way at once. */
const ARRIVING_BYTES = 33_554_432

/** How long closing waits for requests that are on their way, in milliseconds. */
const LAST_REQUESTS_MS = 250

const UNKNOWN_PATH = 'Webhooks go to /webhooks, to /webhooks/<event type> or to /webhooks/custom/<name>, with a name from CUSTOM_WEBHOOKS.'
const UNKNOWN_NAME = 'CUSTOM_WEBHOOKS does not list the name in this path. Add the name, such as CUSTOM_WEBHOOKS=crm, and restart the service.'

/** Makes the public HTTP application. It does not listen yet. */
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
    // While the service stops, requests on open connections are still accepted.
    return503OnClosing: false,
    routerOptions: { caseSensitive: false, ignoreTrailingSlash: true }
  })
  // Otherwise node closes the connection without an answer if the client has closed its sending side. The webhook would be stored, and the
  // sender would retry it until it gives up.
  Object.assign(app.server, { httpAllowHalfOpen: true })

  // From now on each answer is the last one on its connection, and no new connection is accepted. Fastify's own close would close idle
  // connections at once, with requests that are on their way to them.
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
