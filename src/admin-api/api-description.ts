import fastifySwagger, { type SwaggerTransform } from '@fastify/swagger'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { KindGuard, type TSchema } from '@sinclair/typebox'
import Fastify, { type FastifySchema, type RawServerDefault } from 'fastify'
import { PROBLEM_TYPE, ProblemSchema } from '../http/problem-answer.js'
import { completeOperation, createErrorAnswers, type OperationPlace } from './complete-operation.js'
import { createComponents, type Components } from './components.js'
import type { App } from '../http/app.js'

export interface ApiDescriptionOptions {
  readonly version: string
  readonly addPublicRoutes: (app: App) => void
  readonly addOperatorRoutes: (app: App) => void
}

/** An OpenAPI 3.1 document. */
export type ApiDescription = Readonly<Record<string, unknown>>

type Described = FastifySchema & Record<string, unknown>

// Relative, because the service does not know the host name that clients use.
const PUBLIC_SERVERS = [{ url: '/', description: 'The public listener: HOST and PORT' }]
const OPERATOR_SERVERS = [{ url: '/', description: 'The operator\'s listener: ADMIN_HOST and ADMIN_PORT' }]
const LICENSE = { name: 'MIT', identifier: 'MIT' }
const CONTACT = { name: 'The maintainers of tierhook' }
const tags: Readonly<Record<string, string>> = {
  Webhooks: 'Where Voucherify sends its webhooks, at the public listener.',
  Health: 'Whether the service is alive and ready for webhooks, at the public listener.',
  Service: 'The state of the service and of its sender.',
  Deliveries: 'Accepted events and their status at each forwarder.',
  Quarantine: 'Events that cannot be understood and wait for an operator.',
  'Dead letters': 'Deliveries that a forwarder gave up on.',
  Forwarders: 'The destinations of deliveries, and the progress of each.'
}
const TOKEN = 'operatorToken'

/**
 * Describes both listeners from the schemas of their routes. The routes are added to an application that never listens, so the running listeners
 * pay nothing for it.
 */
export async function describeApi ({ version, addPublicRoutes, addOperatorRoutes }: ApiDescriptionOptions): Promise<ApiDescription> {
  const components = createComponents()
  const operatorUrls = new Set<string>()
  const app = Fastify<RawServerDefault>().withTypeProvider<TypeBoxTypeProvider>()
  // The described routes are never called.
  app.setValidatorCompiler(() => () => true)
  app.setSerializerCompiler(() => () => '')
  await app.register(fastifySwagger, {
    convertConstToEnum: false,
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'tierhook',
        version,
        license: LICENSE,
        contact: CONTACT,
        description: 'Receives Voucherify loyalty tier webhooks at its public listener; the operator\'s listener shows what became of them. Every error is answered with an RFC 9457 problem.'
      },
      servers: [{ url: '/', description: 'Each operation names its listener' }],
      tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
      components: { securitySchemes: { [TOKEN]: { type: 'http', scheme: 'bearer', description: 'ADMIN_TOKEN, or one of ADMIN_TOKENS. A read token cannot change anything. If no token is set, the operator\'s listener serves only its own machine and needs none.' } } }
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
  // Every error answer refers to this schema.
  components.refer(ProblemSchema)
  const schemas = components.schemas()
  const errors = createErrorAnswers()
  const paths = completePaths(objectOf(document['paths']), { schemas, errors })
  return { ...document, paths, components: { ...objectOf(document['components']), schemas, responses: errors.responses() } }
}

function completePaths (paths: Readonly<Record<string, unknown>>, known: Pick<OperationPlace, 'schemas' | 'errors'>): object {
  return Object.fromEntries(Object.entries(paths).map(([path, item]) => [path, Object.fromEntries(Object.entries(objectOf(item)).map(([method, operation]) => [
    method, completeOperation(objectOf(operation), { path, method, ...known })
  ]))]))
}

function createTransform (components: Components, operatorUrls: ReadonlySet<string>): SwaggerTransform<FastifySchema> {
  return ({ schema, url, route }) => {
    const config: Readonly<Record<string, unknown>> = { ...route.config }
    const own: Described = { ...schema }
    const operator = operatorUrls.has(url)
    const described: Described = {
      ...own,
      servers: operator ? OPERATOR_SERVERS : PUBLIC_SERVERS,
      security: operator && config['open'] !== true ? [{ [TOKEN]: [] }] : [],
      response: describeAnswers(own.response, components),
      ...(operator || own.body === undefined ? {} : { headers: SIGNATURE }),
      ...(own.body === undefined ? {} : { body: hide(components.refer(own.body as TSchema)) })
    }
    return { schema: described, url }
  }
}

/** The signature header of a webhook. The signature is checked before validation, so it is not in the routes' schemas. */
const SIGNATURE = {
  type: 'object',
  properties: {
    'x-voucherify-signature': {
      type: 'string',
      pattern: '^[0-9a-f]{64}$',
      description: 'The HMAC-SHA256 of the body under the project\'s secret key, in lower-case hexadecimal digits. Required if VOUCHERIFY_WEBHOOK_SECRETS is set.'
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
    // /health/ready answers 503 with a body that is not a problem.
    return [status, { description, content: { [answer['$id'] === 'Problem' ? type : 'application/json']: { schema: hide(components.refer(answer)) } } }]
  }))
}

const descriptions: Readonly<Record<string, string>> = {
  200: 'Done.',
  202: 'Accepted: it is on disk.',
  '4xx': 'The request is refused.',
  '5xx': 'It cannot be done now.'
}

/** Hides references to named schemas from the plugin, which would look them up among Fastify's own schemas. */
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
