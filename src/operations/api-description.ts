import fastifySwagger, { type SwaggerTransform } from '@fastify/swagger'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { KindGuard, type TSchema } from '@sinclair/typebox'
import Fastify, { type FastifySchema, type RawServerDefault } from 'fastify'
import { PROBLEM_TYPE } from '../ingress/problem-answer.js'
import { createComponents, type Components } from './components.js'
import type { AdminApp } from './route-types.js'

export interface ApiDescriptionOptions {
  readonly version: string
  readonly addPublicRoutes: (app: AdminApp) => void
  readonly addOperatorRoutes: (app: AdminApp) => void
}

/** An OpenAPI 3.1 document. */
export type ApiDescription = Readonly<Record<string, unknown>>

type Described = FastifySchema & Record<string, unknown>

const PUBLIC_SERVERS = [{ url: 'http://localhost:3000', description: 'The public listener: HOST and PORT' }]
const OPERATOR_SERVERS = [{ url: 'http://localhost:3001', description: 'The operator\'s listener: ADMIN_HOST and ADMIN_PORT' }]
const TOKEN = 'operatorToken'

/**
 * Describes both listeners, from the routes' own schemas. The routes are added to an application that never listens, so
 * that describing costs those that do nothing.
 */
export async function describeApi ({ version, addPublicRoutes, addOperatorRoutes }: ApiDescriptionOptions): Promise<ApiDescription> {
  const components = createComponents()
  const operatorUrls = new Set<string>()
  const app = Fastify<RawServerDefault>().withTypeProvider<TypeBoxTypeProvider>()
  // What is described is never called.
  app.setValidatorCompiler(() => () => true)
  app.setSerializerCompiler(() => () => '')
  await app.register(fastifySwagger, {
    convertConstToEnum: false,
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'tierhook',
        version,
        description: 'Receives Voucherify loyalty tier webhooks at its public listener; the operator\'s listener shows what became of them. Every answer that is no success is a problem as RFC 9457 has it.'
      },
      tags: ['Webhooks', 'Health', 'Service', 'Deliveries', 'Quarantine', 'Dead letters', 'Forwarders'].map((name) => ({ name })),
      components: { securitySchemes: { [TOKEN]: { type: 'http', scheme: 'bearer', description: 'ADMIN_TOKEN. Without one the operator\'s listener is for its own machine, and asks for none.' } } }
    },
    transform: createTransform(components, operatorUrls)
  })
  await app.register(async (scope) => { addPublicRoutes(scope.withTypeProvider<TypeBoxTypeProvider>()) })
  await app.register(async (scope) => {
    scope.addHook('onRoute', ({ url }) => { operatorUrls.add(url) })
    addOperatorRoutes(scope.withTypeProvider<TypeBoxTypeProvider>())
  })
  await app.ready()
  const document = restore(app.swagger())
  await app.close()
  return { ...document, components: { ...objectOf(document['components']), schemas: components.schemas() } }
}

function createTransform (components: Components, operatorUrls: ReadonlySet<string>): SwaggerTransform<FastifySchema> {
  return ({ schema, url, route }) => {
    const config: Readonly<Record<string, unknown>> = { ...route.config }
    const own: Described = { ...schema }
    const webhook = describeWebhook(url, config, components)
    const operator = operatorUrls.has(url)
    const described: Described = {
      ...own,
      ...webhook,
      servers: operator ? OPERATOR_SERVERS : PUBLIC_SERVERS,
      security: operator && config['open'] !== true ? [{ [TOKEN]: [] }] : [],
      response: describeAnswers(own.response, components),
      ...(own.body === undefined ? {} : { body: hide(components.refer(own.body as TSchema)) })
    }
    return { schema: described, url }
  }
}

/** What a webhook's route says of itself beside its schema, since a body is judged only once it is known to be genuine. */
function describeWebhook (url: string, { summary, body }: Readonly<Record<string, unknown>>, components: Components): Described {
  if (typeof summary !== 'string' || !isSchema(body)) return {}
  return {
    operationId: `receive ${url.replace(/^\/webhooks\/?/, '') || 'any'}`.replaceAll(/[^A-Za-z0-9._-]+/g, '_'),
    summary,
    tags: ['Webhooks'],
    body: hide(components.refer(body)),
    headers: {
      type: 'object',
      properties: {
        'x-voucherify-signature': {
          type: 'string',
          pattern: '^[0-9a-f]{64}$',
          description: 'The HMAC-SHA256 of the body under the project\'s secret key, in lower-case hexadecimal digits. Needed where VOUCHERIFY_WEBHOOK_SECRETS is set.'
        }
      }
    }
  }
}

function isSchema (value: unknown): value is TSchema {
  return KindGuard.IsSchema(value)
}

function describeAnswers (response: unknown, components: Components): object {
  return Object.fromEntries(Object.entries(objectOf(response)).map(([status, answer]) => {
    if (!isSchema(answer)) return [status, answer]
    const type = status.startsWith('4') || status.startsWith('5') ? PROBLEM_TYPE : 'application/json'
    const description = typeof answer.description === 'string' ? answer.description : descriptions[status] ?? 'The answer.'
    // /health/ready answers 503 in a form of its own.
    return [status, { description, content: { [answer['$id'] === 'Problem' ? type : 'application/json']: { schema: hide(components.refer(answer)) } } }]
  }))
}

const descriptions: Readonly<Record<string, string>> = {
  200: 'Done.',
  202: 'Accepted: it is on disk.',
  '4xx': 'The request is refused.',
  '5xx': 'It cannot be done now.'
}

/** References to named schemas are kept from the plugin, which would look for them among Fastify's own. */
const HIDDEN = 'x-tierhook-ref'

function hide (value: unknown): unknown {
  return rename(value, '$ref', HIDDEN)
}

function restore (document: unknown): Readonly<Record<string, unknown>> {
  return objectOf(rename(document, HIDDEN, '$ref'))
}

function rename (value: unknown, from: string, to: string): unknown {
  if (Array.isArray(value)) return value.map((each) => rename(each, from, to))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]: [string, unknown]) => [key === from ? to : key, rename(each, from, to)]))
}

function objectOf (value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
