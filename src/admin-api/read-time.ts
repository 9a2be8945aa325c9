import { Type, type TString } from '@sinclair/typebox'
import { parseTime } from '../delivery/parse-time.js'
import { Problem } from '../errors/problem.js'

/** A time in a query: ISO 8601 with Z or an offset. Without an offset, the time zone would be unclear. */
const PATTERN = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/

export function TimeParameter (description: string): TString {
  return Type.String({ minLength: 1, maxLength: 40, description: `${description} ISO 8601 with Z or an offset, such as 2026-01-31T08:00:00Z.` })
}

/**
 * @returns milliseconds since the epoch; `undefined` if no text is given
 * @throws {Problem} PARAMETERS_WRONG for another format, or for a day or hour that does not exist
 */
export function readTime (name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!PATTERN.test(text)) throw wrong(name, 'must be a time with Z or an offset, such as 2026-01-31T08:00:00Z')
  const time = parseTime(text)
  if (!Number.isNaN(time)) return time
  throw wrong(name, 'must be a time that exists')
}

function wrong (name: string, message: string): Problem {
  return new Problem('PARAMETERS_WRONG', { detail: `In the query: ${name} ${message}.`, faults: [{ pointer: `/${name}`, message }] })
}
