import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'

export interface HealthRouteOptions {
  /** Why no webhook should be sent here now; empty if webhooks are accepted. */
  readonly readiness: () => readonly string[] | Promise<readonly string[]>
}

const LiveSchema = Type.Object({ status: Type.Literal('live') }, { additionalProperties: false })
const ReadySchema = Type.Object({ status: Type.Literal('ready') }, { additionalProperties: false })
const NotReadySchema = Type.Object({
  status: Type.Literal('not ready'),
  reasons: Type.Array(Type.String(), { description: 'Why no webhook should be sent here now.' })
}, { additionalProperties: false })

/** Adds `/health/live`, which says that the process answers, and `/health/ready`, which says whether it accepts webhooks. */
export const healthRoutes: FastifyPluginCallbackTypebox<HealthRouteOptions> = (app, { readiness }, done) => {
  app.get('/health/live', {
    schema: { operationId: 'getLiveness', summary: 'Whether the process answers', tags: ['Health'], response: { 200: LiveSchema } }
  }, async (_request, reply) => {
    return await reply.header('cache-control', 'no-store').send({ status: 'live' })
  })

  app.get('/health/ready', {
    schema: { operationId: 'getReadiness', summary: 'Whether webhooks should be sent here now', tags: ['Health'], response: { 200: ReadySchema, 503: NotReadySchema } }
  }, async (_request, reply) => {
    const reasons = [...await readiness()]
    reply.header('cache-control', 'no-store')
    if (reasons.length === 0) return await reply.code(200).send({ status: 'ready' })
    return await reply.code(503).send({ status: 'not ready', reasons })
  })
  done()
}
