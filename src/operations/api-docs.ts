import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import { answerProblems } from './answers.js'
import type { ApiDescription } from './api-description.js'
import type { AdminApp, OperatorRouteConfig } from './route-types.js'

export interface DocsRouteOptions {
  readonly describe: () => Promise<ApiDescription>
}

/** The page is Swagger UI's: all that it needs comes from here. It sets styles and draws its icons from data. */
const CSP = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const open: OperatorRouteConfig = { open: true }

const HEADERS = { 'referrer-policy': 'no-referrer', 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY' }

/** Adds `/docs` and `/docs/json`. What they need is loaded when somebody asks for it first. Nobody's data is in it. */
export function addDocsRoutes (app: AdminApp, { describe }: DocsRouteOptions): void {
  let described: Promise<ApiDescription> | undefined
  let docs: Promise<FastifyInstance> | undefined

  async function description (): Promise<ApiDescription> {
    described ??= describe().catch((error: unknown) => {
      // It may succeed the next time.
      described = undefined
      throw error
    })
    return await described
  }

  app.get('/docs/json', {
    config: open,
    schema: {
      operationId: 'getDescription',
      summary: 'This description, as OpenAPI 3.1',
      tags: ['Service'],
      response: { 200: Type.Object({}, { description: 'An OpenAPI 3.1 document.' }), ...answerProblems }
    }
  }, async () => await description())

  for (const url of ['/docs', '/docs/*']) {
    app.get(url, { config: open, exposeHeadRoute: false, schema: { hide: true } }, async (request, reply) => {
      docs ??= createDocs().catch((error: unknown) => {
        docs = undefined
        throw error
      })
      const { routing } = await docs
      reply.hijack()
      routing(request.raw, reply.raw)
    })
  }
  app.addHook('onClose', async () => { await (await docs)?.close() })
}

async function createDocs (): Promise<FastifyInstance> {
  const [{ default: Fastify }, { default: swagger }, { default: swaggerUi }] = await Promise.all([
    import('fastify'), import('@fastify/swagger'), import('@fastify/swagger-ui')
  ])
  const docs = Fastify({ routerOptions: { ignoreTrailingSlash: true } })
  docs.addHook('onRequest', async (_request, reply) => { reply.headers(HEADERS) })
  // The page reads the description from where everybody else does.
  await docs.register(swagger, { mode: 'static', specification: { document: { openapi: '3.1.0', info: { title: 'tierhook', version: '' }, paths: {} } } })
  await docs.register(swaggerUi, { routePrefix: '/docs', staticCSP: CSP, uiConfig: { url: '/docs/json', docExpansion: 'list', validatorUrl: null } })
  await docs.ready()
  return docs
}
