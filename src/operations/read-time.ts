import { Type, type TString } from '@sinclair/typebox'
import { Problem } from '../errors.js'

/** A time in a query: ISO 8601 with its distance from UTC, since whose midnight it would be otherwise nobody could tell. */
const PATTERN = '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}(:\\d{2}(\\.\\d{1,9})?)?(Z|[+-]\\d{2}:\\d{2})$'

export function TimeParameter (description: string): TString {
  return Type.String({ pattern: PATTERN, description: `${description} ISO 8601 with Z or an offset, such as 2026-01-31T08:00:00Z.` })
}

/**
 * @returns milliseconds since the epoch
 * @throws {Problem} PARAMETERS_WRONG for a day or hour that there is not
 */
export function readTime (name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const time = Date.parse(text)
  if (!Number.isNaN(time)) return time
  throw new Problem('PARAMETERS_WRONG', { detail: `${name} is a time that there is not.`, faults: [{ pointer: `/${name}`, message: 'must be a time that there is' }] })
}
