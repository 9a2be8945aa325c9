import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyBaseLogger, FastifyContextConfig, FastifyInstance, RawReplyDefaultExpression, RawRequestDefaultExpression, RawServerDefault } from 'fastify'

/** The operator's application: its requests and replies have the types of their TypeBox schemas. */
export type AdminApp = FastifyInstance<RawServerDefault, RawRequestDefaultExpression, RawReplyDefaultExpression, FastifyBaseLogger, TypeBoxTypeProvider>

/** What a route says of itself in its `config`. */
export interface OperatorRouteConfig extends FastifyContextConfig {
  /** Whether it is answered without a token: nobody's data may be in the answer. */
  readonly open?: boolean
}
