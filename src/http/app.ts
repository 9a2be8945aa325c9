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
  /**
   * The proxies whose `X-Forwarded-For` is trusted: `false` for none, `true` for all, or a list of addresses, blocks of addresses, `loopback`,
   * `linklocal` and `uniquelocal`.
   */
  readonly trustProxy: boolean | readonly string[]
}

/**
 * Fastify's `schemaController` for an app that sets its own compilers. Without it Fastify loads its default compilers, which take a third of
 * Fastify's load time.
 */
export const noDefaultCompilers = { compilersFactory: { buildValidator: () => unused, buildSerializer: () => unused } }

function unused (): never {
  throw new TypeError('An app without default compilers must set its own')
}

/** Makes a Fastify application with the limits of its listener. It does not listen yet, and has no validator compiler. */
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
  // Answers are small, and their objects are built here, so JSON.stringify is as fast as a serializer compiled for each route. Compiling would
  // slow the start.
  app.setSerializerCompiler(() => (answer) => wellFormedJson(JSON.stringify(answer)))
  return app
}
