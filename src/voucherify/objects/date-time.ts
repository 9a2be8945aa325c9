import { FormatRegistry, Type, type TString, type TUnion } from '@sinclair/typebox'
import { fullFormats } from 'ajv-formats/dist/formats.js'

interface TextCheck { validate: (text: string) => unknown }

function isTextCheck (definition: unknown): definition is TextCheck {
  return typeof definition === 'object' && definition !== null && 'validate' in definition &&
    typeof definition.validate === 'function'
}

/**
 * Most date-times that are sent, in UTC and without a leap second: to know one by this takes a fifth of the time of the full
 * check, which a body asks for a dozen times. What it does not match is for the full check to judge.
 */
const USUAL = new RegExp(`^\\d{4}-(?:${['(?:0[1-9]|1[0-2])-(?:0[1-9]|1\\d|2[0-8])', '(?:0[13-9]|1[0-2])-(?:29|30)', '(?:0[13578]|1[02])-31'].join('|')})` +
  'T(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?Z$')

/** Whether a text is a date-time such as most are. `false` says nothing: it may be another. */
export function isUsualDateTime (text: string): boolean {
  return USUAL.test(text)
}

/**
 * Teaches TypeBox the format `date-time` (RFC 3339, section 5.6), judged by ajv-formats, unless somebody has taught it
 * already. Without it TypeBox refuses every date-time. Throws a TypeError if ajv-formats has no such check.
 */
export function registerDateTime (definition: unknown = fullFormats['date-time']): void {
  const isFull = checkOf('date-time', definition)
  if (!FormatRegistry.Has('date-time')) FormatRegistry.Set('date-time', text => isUsualDateTime(text) || isFull(text))
}

/** Teaches TypeBox the format `date` (RFC 3339, section 5.6, full-date) in the same way. */
function registerDate (): void {
  if (!FormatRegistry.Has('date')) FormatRegistry.Set('date', checkOf('date', fullFormats.date))
}

function checkOf (format: string, definition: unknown): (text: string) => boolean {
  if (!isTextCheck(definition)) throw new TypeError(`ajv-formats has no check for ${format}`)
  return text => definition.validate(text) === true
}

registerDateTime()
registerDate()

/** An ISO 8601 date-time with a time zone, as in `2024-03-14T10:08:14.814Z`. */
export function dateTime (description: string): TString {
  return Type.String({ format: 'date-time', description })
}

/**
 * A date alone, as in `2024-03-14`, or a date-time. Where a time starts or ends the documents name no format, and show both.
 */
export function dateOrDateTime (description: string): TUnion<[TString, TString]> {
  return Type.Union([Type.String({ format: 'date-time' }), Type.String({ format: 'date' })], {
    description, errorMessage: 'must be an ISO 8601 date or date-time'
  })
}
