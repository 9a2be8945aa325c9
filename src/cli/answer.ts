import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'

/** What came back for one webhook. */
export interface Answer {
  /** The HTTP status; the name of what happened where there was no answer, such as `ECONNRESET`. */
  readonly status: number | string
  /** The answer's own words: a message, or a problem's title and detail. */
  readonly message: string
  readonly id?: string
  readonly verdict?: string
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
  errors: Type.Optional(Type.Array(Type.Object({ pointer: Type.String(), message: Type.String() })))
})

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
  if (!Value.Check(AnswerBody, body)) return { status, message: text.trim().slice(0, 200), durationMs }
  const words = body.message ?? [body.title, body.detail].filter(part => part !== undefined).join(': ')
  return {
    status,
    message: body.duplicate === true ? `${words} (held already)` : words,
    ...body.id === undefined ? {} : { id: body.id },
    ...body.verdict === undefined ? {} : { verdict: body.verdict },
    ...body.errors === undefined ? {} : { faults: body.errors.map(({ pointer, message }) => `${pointer} ${message}`) },
    durationMs
  }
}

/** Whether Voucherify would take it as success. */
export function isSuccess (answer: Answer): boolean {
  return typeof answer.status === 'number' && answer.status >= 200 && answer.status < 300
}

/** An answer as one line, such as `202 Webhook accepted  0199…  valid  3.1 ms`, and one more for each fault. */
export function formatAnswer (answer: Answer): string {
  const line = [`${answer.status} ${answer.message}`, answer.id, answer.verdict, `${answer.durationMs.toFixed(1)} ms`]
    .filter(part => part !== undefined)
    .join('  ')
  return [line, ...answer.faults ?? []].join('\n    ')
}
