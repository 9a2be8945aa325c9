import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'

/** What came back for one webhook. */
export interface Answer {
  /** The HTTP status; `timeout`; or the name of what happened where there was no answer, such as `ECONNRESET`. */
  readonly status: number | string
  /** The answer's own words: a message, or a problem's title and detail. */
  readonly message: string
  /** The stable name of a problem, where the answer has one, such as `SIGNATURE_WRONG`. */
  readonly code?: string
  readonly id?: string
  readonly verdict?: string
  /** Whether the receiver says that it holds the event already. */
  readonly duplicate?: boolean
  /** What is wrong with the body, one line each, where the answer says. */
  readonly faults?: readonly string[]
  /** From the first byte sent to the last byte of the answer, in milliseconds. */
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

/** What can be the stable name of a problem: it becomes a name in the report. */
const problemCode = /^[A-Za-z][\w.-]{0,63}$/
const longestText = 200
const longestId = 128
const mostFaults = 5

function parse (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Not every server answers JSON, least of all the wrong one.
    return undefined
  }
}

/** Reads an answer, ours or anybody's. */
export function readAnswer (status: number, text: string, durationMs: number): Answer {
  const body = parse(text)
  if (!Value.Check(AnswerBody, body)) return { status, message: text.trim().slice(0, longestText), durationMs }
  const words = body.message ?? [body.title, body.detail].filter(part => part !== undefined).join(': ')
  return {
    status,
    message: words.slice(0, longestText),
    ...body.code === undefined || !problemCode.test(body.code) ? {} : { code: body.code },
    ...body.id === undefined || body.id === '' || body.id.length > longestId ? {} : { id: body.id },
    ...body.verdict === undefined ? {} : { verdict: body.verdict.slice(0, longestText) },
    ...body.duplicate === true ? { duplicate: true } : {},
    ...body.errors === undefined ? {} : { faults: body.errors.slice(0, mostFaults).map(({ pointer, message }) => `${pointer} ${message}`.slice(0, longestText)) },
    durationMs
  }
}

/** Whether Voucherify would take it as success: any 2xx in time. */
export function isSuccess (answer: Pick<Answer, 'status'>): boolean {
  return typeof answer.status === 'number' && answer.status >= 200 && answer.status < 300
}

/** What an answer is counted under: `202`, `401 SIGNATURE_WRONG`, `timeout`, `ECONNRESET`. */
export function answerKey ({ status, code }: Pick<Answer, 'status' | 'code'>): string {
  return code === undefined ? String(status) : `${status} ${code}`
}
