import { Problem, problems, type ProblemCode } from '../errors/problem.js'
import { PROBLEM_TYPE, problemBody } from '../http/problem-answer.js'
import { exampleOf, objectOf } from './example-of.js'

type Json = Readonly<Record<string, unknown>>

export interface OperationPlace {
  readonly path: string
  readonly method: string
  /** The schemas that references point to, by name. */
  readonly schemas: Readonly<Record<string, unknown>>
  readonly errors: ErrorAnswers
}

/** Errors that any HTTP request may get. */
const ALWAYS: readonly ProblemCode[] = ['BAD_REQUEST', 'REQUEST_TIMEOUT', 'HEADERS_TOO_LARGE', 'INTERNAL']
const OF_WEBHOOKS: readonly ProblemCode[] = [
  'BODY_NOT_JSON', 'SIGNATURE_MISSING', 'SIGNATURE_WRONG', 'HEADER_WRONG', 'SOURCE_NOT_ALLOWED', 'ORIGIN_NOT_ALLOWED', 'BODY_TOO_LARGE', 'MEDIA_TYPE_UNSUPPORTED', 'EVENT_INVALID',
  'RAW_PAYLOAD_REFUSED', 'EVENT_UNVALIDATED', 'BODIES_TOO_MANY', 'JOURNAL_UNAVAILABLE', 'STOPPING'
]

/** Completes an operation of an API description with a sentence of description, every error code, and an example of each body. */
export function completeOperation (operation: Json, place: OperationPlace): Json {
  return {
    ...operation,
    description: operation['description'] ?? descriptionOf(operation, place),
    ...operation['requestBody'] === undefined ? {} : { requestBody: withExamples(operation['requestBody'], place) },
    responses: { ...successesOf(operation, place), ...errorsOf(operation, place) }
  }
}

function isPublic ({ path }: Pick<OperationPlace, 'path'>): boolean {
  return path.startsWith('/webhooks') || path.startsWith('/health')
}

function needsToken (operation: Json): boolean {
  return Array.isArray(operation['security']) && operation['security'].length > 0
}

function descriptionOf (operation: Json, place: OperationPlace): string {
  const summary = `${String(operation['summary'])}.`
  if (place.path.startsWith('/webhooks')) return `${summary} tierhook answers after the event is on disk. Voucherify counts any 2xx within 10 seconds as received, and retries after anything else.`
  if (!needsToken(operation)) return `${summary} It needs no token.`
  return place.method === 'get'
    ? `${summary} It changes nothing, so a \`read\` token is enough.`
    : `${summary} It needs an \`operate\` token. The log and the list of actions record it, with the token's name and the source address.`
}

/** The operation's own answers, with examples. Status ranges such as 4xx are left out, because each error is listed. */
function successesOf (operation: Json, place: OperationPlace): Json {
  return Object.fromEntries(Object.entries(objectOf(operation['responses'])).filter(([status]) => /^\d+$/.test(status)).map(([status, answer]) => [status, withExamples(answer, place)]))
}

function withExamples (holder: unknown, { schemas }: OperationPlace): Json {
  const content = Object.entries(objectOf(objectOf(holder)['content'])).map(([type, media]) => {
    const { schema, ...rest } = objectOf(media)
    // Schemas of Voucherify's events contain examples already.
    const isOurs = type === 'application/json' && !JSON.stringify(schema).includes('.envelope')
    return [type, { schema, ...rest, ...isOurs ? { example: exampleOf(objectOf(schema), schemas) } : {} }]
  })
  return { ...objectOf(holder), content: Object.fromEntries(content) }
}

function errorsOf (operation: Json, { errors, ...place }: OperationPlace): Json {
  const byStatus = new Map<number, ProblemCode[]>()
  for (const code of new Set([...ALWAYS, ...codesOf(operation, place)])) byStatus.set(problems[code].status, [...byStatus.get(problems[code].status) ?? [], code])
  const own = objectOf(operation['responses'])
  return Object.fromEntries([...byStatus].filter(([status]) => own[status] === undefined).map(([status, codes]) => [status, errors.refer(status, codes)]))
}

/** Error answers. Each is written once and referred to, because dozens of operations share it. */
export interface ErrorAnswers {
  readonly refer: (status: number, codes: readonly ProblemCode[]) => { readonly $ref: string }
  /** Every answer that was referred to, by name. */
  readonly responses: () => Json
}

export function createErrorAnswers (): ErrorAnswers {
  const responses = new Map<string, Json>()
  return {
    refer (status, codes) {
      const name = [status, ...codes].join('.')
      responses.set(name, {
        description: `${codes.map((code) => `${problems[code].title} (\`${code}\`)`).join('; ')}.`,
        content: {
          [PROBLEM_TYPE]: {
            schema: { $ref: '#/components/schemas/Problem' },
            examples: Object.fromEntries(codes.map((code) => [code, { summary: problems[code].title, value: problemBody(new Problem(code, { detail: `${problems[code].title}.` })) }]))
          }
        }
      })
      return { $ref: `#/components/responses/${name}` }
    },
    responses: () => Object.fromEntries(responses)
  }
}

function codesOf (operation: Json, place: Pick<OperationPlace, 'path' | 'method'>): readonly ProblemCode[] {
  if (isPublic(place)) return place.path.startsWith('/webhooks') ? OF_WEBHOOKS : []
  const named = new Set((Array.isArray(operation['parameters']) ? operation['parameters'] : []).map((parameter: unknown) => String(objectOf(parameter)['name'])))
  const body = JSON.stringify(operation['requestBody'] ?? null)
  const namesJob = place.path.startsWith('/api/bulk/')
  const namesDelivery = (named.has('id') && !namesJob) || body.includes('"ids"')
  const namesForwarder = named.has('name') || named.has('forwarder') || body.includes('"forwarder')
  return [
    'ORIGIN_NOT_ALLOWED', 'STORE_UNAVAILABLE',
    ...needsToken(operation) ? ['TOKEN_WRONG', 'TOKENS_TOO_MANY'] as const : [],
    ...place.method === 'get' ? [] : ['TOKEN_READS_ONLY', 'BODY_NOT_JSON', 'BODY_TOO_LARGE', 'MEDIA_TYPE_UNSUPPORTED'] as const,
    ...named.size > 0 || body !== 'null' ? ['PARAMETERS_WRONG'] as const : [],
    ...namesDelivery ? ['DELIVERY_UNKNOWN', 'DELIVERY_AMBIGUOUS'] as const : [],
    ...namesForwarder ? ['FORWARDER_UNKNOWN'] as const : [],
    ...place.path === '/api/events' ? ['LISTENERS_TOO_MANY'] as const : [],
    ...namesJob ? ['NOT_FOUND'] as const : [],
    ...place.path === '/api/bulk' && place.method === 'post' ? ['BULK_TOO_MANY'] as const : []
  ]
}
