import { FormatRegistry, Type, type TString, type TUnion } from '@sinclair/typebox'
import { fullFormats } from 'ajv-formats/dist/formats.js'

interface TextCheck { validate: (text: string) => unknown }

function isTextCheck (definition: unknown): definition is TextCheck {
  return typeof definition === 'object' && definition !== null && 'validate' in definition &&
    typeof definition.validate === 'function'
}

/**
 * Matches most date-times: in UTC and without a leap second. This takes a fifth of the time of the full check, which a body needs a dozen
 * times. The full check decides about all other texts.
 */
const USUAL = new RegExp(`^\\d{4}-(?:${['(?:0[1-9]|1[0-2])-(?:0[1-9]|1\\d|2[0-8])', '(?:0[13-9]|1[0-2])-(?:29|30)', '(?:0[13578]|1[02])-31'].join('|')})` +
  'T(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?Z$')

/** Whether a text is a common date-time. `false` proves nothing, because it may be another valid one. */
export function isUsualDateTime (text: string): boolean {
  return USUAL.test(text)
}

/**
 * Registers the format `date-time` (RFC 3339, section 5.6) at TypeBox, checked by ajv-formats, unless it is registered already. Without it,
 * TypeBox refuses every date-time.
 * @throws {TypeError} if ajv-formats has no such check
 */
export function registerDateTime (definition: unknown = fullFormats['date-time']): void {
  const isFull = checkOf('date-time', definition)
  if (!FormatRegistry.Has('date-time')) FormatRegistry.Set('date-time', text => isUsualDateTime(text) || isFull(text))
}

/** Registers the format `date` (RFC 3339, section 5.6, full-date) in the same way. */
function registerDate (): void {
  if (!FormatRegistry.Has('date')) FormatRegistry.Set('date', checkOf('date', fullFormats.date))
}

function checkOf (format: string, definition: unknown): (text: string) => boolean {
  if (!isTextCheck(definition)) throw new TypeError(`ajv-formats has no check for ${format}`)
  return text => definition.validate(text) === true
}

registerDateTime()
registerDate()

/** Returns the schema of an ISO 8601 date-time with a time zone, such as `2024-03-14T10:08:14.814Z`. */
export function dateTime (description: string): TString {
  return Type.String({ format: 'date-time', description })
}

/**
 * Returns the schema of a date, such as `2024-03-14`, or a date-time. The documentation names no format for start and end times, and shows both.
 */
export function dateOrDateTime (description: string): TUnion<[TString, TString]> {
  return Type.Union([Type.String({ format: 'date-time' }), Type.String({ format: 'date' })], {
    description, errorMessage: 'must be an ISO 8601 date or date-time'
  })
}
