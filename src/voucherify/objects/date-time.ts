import { FormatRegistry, Type, type TString } from '@sinclair/typebox'
import { fullFormats } from 'ajv-formats/dist/formats.js'

interface TextCheck { validate: (text: string) => unknown }

function isTextCheck (definition: unknown): definition is TextCheck {
  return typeof definition === 'object' && definition !== null && 'validate' in definition &&
    typeof definition.validate === 'function'
}

/**
 * Teaches TypeBox the format `date-time` (RFC 3339, section 5.6), judged by ajv-formats, unless somebody has taught it
 * already. Without it TypeBox refuses every date-time. Throws a TypeError if ajv-formats has no such check.
 */
export function registerDateTime (definition: unknown = fullFormats['date-time']): void {
  if (FormatRegistry.Has('date-time')) return
  if (!isTextCheck(definition)) throw new TypeError('ajv-formats has no check for date-time')
  FormatRegistry.Set('date-time', text => definition.validate(text) === true)
}

registerDateTime()

/** An ISO 8601 date-time with a time zone, as in `2024-03-14T10:08:14.814Z`. */
export function dateTime (description: string): TString {
  return Type.String({ format: 'date-time', description })
}
