/**
 * Every error that tierhook answers or stops with. A code is stable: callers and tests match it, and its meaning never changes. 4xx is the
 * sender's fault, 5xx is ours (RFC 9110, section 15).
 */
export const problems = {
  BODY_NOT_JSON: { status: 400, title: 'The body is not JSON' },
  SIGNATURE_MISSING: { status: 401, title: 'The signature is missing' },
  SIGNATURE_WRONG: { status: 401, title: 'The signature is wrong' },
  HEADER_WRONG: { status: 401, title: 'A required header is missing or wrong' },
  SOURCE_NOT_ALLOWED: { status: 403, title: 'The source address is not allowed' },
  TOKEN_WRONG: { status: 401, title: 'The token is missing or wrong' },
  TOKEN_READS_ONLY: { status: 403, title: 'The token may only read' },
  ORIGIN_NOT_ALLOWED: { status: 403, title: 'The request comes from another site' },
  NOT_FOUND: { status: 404, title: 'There is nothing at this path' },
  DELIVERY_UNKNOWN: { status: 404, title: 'There is no such delivery' },
  FORWARDER_UNKNOWN: { status: 404, title: 'There is no such forwarder' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'The method is not allowed here' },
  REQUEST_TIMEOUT: { status: 408, title: 'The request did not arrive in time' },
  DELIVERY_AMBIGUOUS: { status: 409, title: 'Several deliveries have ids that begin like this' },
  BODY_TOO_LARGE: { status: 413, title: 'The body is too large' },
  TOKENS_TOO_MANY: { status: 429, title: 'Too many wrong tokens' },
  HEADERS_TOO_LARGE: { status: 431, title: 'The request headers are too large' },
  MEDIA_TYPE_UNSUPPORTED: { status: 415, title: 'The content type or encoding is not supported' },
  EVENT_INVALID: { status: 422, title: 'The body does not match its schema' },
  RAW_PAYLOAD_REFUSED: { status: 422, title: 'Bodies without an envelope are refused here' },
  EVENT_UNVALIDATED: { status: 422, title: 'The event type has no schema here' },
  BAD_REQUEST: { status: 400, title: 'The request cannot be understood' },
  PARAMETERS_WRONG: { status: 400, title: 'A parameter of the request is wrong' },
  INTERNAL: { status: 500, title: 'tierhook failed' },
  BODIES_TOO_MANY: { status: 503, title: 'Too many request bodies are arriving at once' },
  JOURNAL_UNAVAILABLE: { status: 503, title: 'The webhook cannot be stored now' },
  STORE_UNAVAILABLE: { status: 503, title: 'The store cannot be used now' },
  LISTENERS_TOO_MANY: { status: 503, title: 'Too many clients listen already' },
  BULK_TOO_MANY: { status: 503, title: 'Too many bulk actions are running' },
  STOPPING: { status: 503, title: 'tierhook is stopping' }
} as const

export type ProblemCode = keyof typeof problems

/** One way in which a value differs from its schema; `pointer` is a JSON pointer (RFC 6901) from the value's root. */
export interface Fault {
  readonly pointer: string
  readonly message: string
}

export interface ProblemOptions {
  readonly detail: string
  readonly faults?: readonly Fault[]
  readonly headers?: Readonly<Record<string, string>>
  readonly cause?: unknown
}

/** An error that becomes an RFC 9457 answer. The sender sees its detail, so the detail never contains a secret or the body. */
export class Problem extends Error {
  readonly code: ProblemCode
  readonly status: number
  readonly title: string
  readonly faults: readonly Fault[]
  readonly headers: Readonly<Record<string, string>>

  constructor (code: ProblemCode, options: ProblemOptions) {
    super(options.detail, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'Problem'
    this.code = code
    this.status = problems[code].status
    this.title = problems[code].title
    this.faults = options.faults ?? []
    this.headers = options.headers ?? {}
  }
}
