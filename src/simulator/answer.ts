import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'

/** The answer to one webhook. */
export interface Answer {
  /** The HTTP status; `timeout`; or, if no answer came, the code of the error, such as `ECONNRESET`. */
  readonly status: number | string
  /** The answer's message, or a problem's title and detail. */
  readonly message: string
  /** The stable code of a problem, if the answer has one, such as `SIGNATURE_WRONG`. */
  readonly code?: string
  readonly id?: string
  readonly verdict?: string
  /** Whether the receiver says that the event is a duplicate. */
  readonly duplicate?: boolean
  /** The faults in the body, one line each, if the answer lists them. */
  readonly faults?: readonly string[]
  /** From the start of the request, connecting included, to the last byte of the answer, in milliseconds. */
  readonly durationMs: number
}

const AnswerBody = Type.Object({
  message: Type.Optional(Type.String()),
  id: Type.Optional(Type.String()),
  verdict: Type.Optional(Type.String()),
  duplicate: Type.Optional(Type.Boolean()),
  title: Type.Optional(Type.String()),
  detail: Type.Optional(Type.String()),
  code: Type.Optional(Type.String()),
  errors: Type.Optional(Type.Array(Type.Object({ pointer: Type.String(), message: Type.String() })))
})

/** The form of a problem's code. The code becomes a name in the report. */
const problemCode = /^[A-Za-z][\w.-]{0,63}$/
const maxTextLength = 200
const maxIdLength = 128
const maxFaults = 5

function parse (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Not every server answers in JSON. This may be the wrong server.
    return undefined
  }
}

/** Reads an answer of tierhook or of any other server. */
export function readAnswer (status: number, text: string, durationMs: number): Answer {
  const body = parse(text)
  if (!Value.Check(AnswerBody, body)) return { status, message: text.trim().slice(0, maxTextLength), durationMs }
  const words = body.message ?? [body.title, body.detail].filter(part => part !== undefined).join(': ')
  return {
    status,
    message: words.slice(0, maxTextLength),
    ...body.code === undefined || !problemCode.test(body.code) ? {} : { code: body.code },
    ...body.id === undefined || body.id === '' || body.id.length > maxIdLength ? {} : { id: body.id },
    ...body.verdict === undefined ? {} : { verdict: body.verdict.slice(0, maxTextLength) },
    ...body.duplicate === true ? { duplicate: true } : {},
    ...body.errors === undefined ? {} : { faults: body.errors.slice(0, maxFaults).map(({ pointer, message }) => `${pointer} ${message}`.slice(0, maxTextLength)) },
    durationMs
  }
}

/** Whether Voucherify counts the answer as success: any 2xx in time. */
export function isSuccess (answer: Pick<Answer, 'status'>): boolean {
  return typeof answer.status === 'number' && answer.status >= 200 && answer.status < 300
}

/** Returns the name under which an answer is counted: `202`, `401 SIGNATURE_WRONG`, `timeout`, `ECONNRESET`. */
export function answerKey ({ status, code }: Pick<Answer, 'status' | 'code'>): string {
  return code === undefined ? String(status) : `${status} ${code}`
}
