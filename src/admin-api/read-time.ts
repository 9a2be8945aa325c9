import { Type, type TString } from '@sinclair/typebox'
import { parseTime } from '../delivery/parse-time.js'
import { Problem } from '../errors/problem.js'

/** A time in a query: ISO 8601 with its distance from UTC, since whose midnight it would be otherwise nobody could tell. */
const PATTERN = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/

export function TimeParameter (description: string): TString {
  return Type.String({ minLength: 1, maxLength: 40, description: `${description} ISO 8601 with Z or an offset, such as 2026-01-31T08:00:00Z.` })
}

/**
 * @returns milliseconds since the epoch
 * @throws {Problem} PARAMETERS_WRONG for another form, and for a day or hour that there is not
 */
export function readTime (name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!PATTERN.test(text)) throw wrong(name, 'must be a time with Z or an offset, such as 2026-01-31T08:00:00Z')
  const time = parseTime(text)
  if (!Number.isNaN(time)) return time
  throw wrong(name, 'must be a time that there is')
}

function wrong (name: string, message: string): Problem {
  return new Problem('PARAMETERS_WRONG', { detail: `In the query: ${name} ${message}.`, faults: [{ pointer: `/${name}`, message }] })
}
