import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, {
  LogController, type FastifyBaseLogger, type FastifyInstance, type FastifyReply, type FastifyRequest, type FastifyServerOptions,
  type RawReplyDefaultExpression, type RawRequestDefaultExpression, type RawServerDefault
} from 'fastify'
import { wellFormedJson } from '../voucherify/readable-json.js'
import type { Listener } from './listener.js'
import { trustedProxies } from './trusted-proxies.js'

/** A Fastify application whose requests and replies have the types of their TypeBox schemas. */
export type App = FastifyInstance<RawServerDefault, RawRequestDefaultExpression, RawReplyDefaultExpression, FastifyBaseLogger, TypeBoxTypeProvider>

export type AnswerError = (error: unknown, request: FastifyRequest, reply: FastifyReply) => void

export interface HttpAppOptions extends Pick<FastifyServerOptions, 'bodyLimit' | 'forceCloseConnections' | 'return503OnClosing' | 'routerOptions'> {
  readonly logger: FastifyBaseLogger
  readonly listener: Listener
  readonly answerError: AnswerError
  /** Whose `X-Forwarded-For` is believed: nobody's, anybody's, or that of addresses, blocks of them, `loopback`, `linklocal` and `uniquelocal`. */
  readonly trustProxy: boolean | readonly string[]
}

/**
 * Fastify's `schemaController` for an app that sets compilers of its own: where none are named from the start, Fastify loads its
 * default ones, which make a third of the time that it takes to load.
 */
export const noDefaultCompilers = { compilersFactory: { buildValidator: () => unused, buildSerializer: () => unused } }

function unused (): never {
  throw new TypeError('An app without default compilers must set its own')
}

/** A Fastify application within the limits of its listener, not yet listening. It has no validator compiler. */
export function createHttpApp ({ logger, listener, answerError, trustProxy, ...options }: HttpAppOptions): App {
  const app = Fastify<RawServerDefault>({
    ...options,
    ...listener.serverOptions,
    trustProxy: trustedProxies(trustProxy),
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    frameworkErrors: answerError,
    schemaController: noDefaultCompilers
  }).withTypeProvider<TypeBoxTypeProvider>()
  listener.watch(app.server)
  app.addHook('onClose', async () => { listener.close() })
  app.setErrorHandler(answerError)
  // Answers are small and made here, key by key: a compiled serializer for each route is no faster, and costs the start.
  app.setSerializerCompiler(() => (answer) => wellFormedJson(JSON.stringify(answer)))
  return app
}
