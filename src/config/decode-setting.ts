import { KindGuard, type TSchema } from '@sinclair/typebox'
import { accepted, type Decoded, refused } from './decoded.js'

/** Returns the choices of a union of string literals; `undefined` for any other schema. */
function choicesOf (schema: TSchema): string[] | undefined {
  if (!KindGuard.IsUnion(schema)) return undefined
  return schema.anyOf.flatMap(member => KindGuard.IsLiteralString(member) ? [member.const] : [])
}

function decodeInteger (text: string, minimum: number, maximum: number, unit: unknown): Decoded {
  const value = /^(0|-?[1-9]\d*)$/.test(text) ? Number(text) : NaN
  if (value >= minimum && value <= maximum) return accepted(value)
  return refused(`must be a whole number${typeof unit === 'string' ? ` of ${unit}` : ''} from ${minimum} to ${maximum}, in digits only`)
}

function decodeList (text: string, choices: readonly string[]): Decoded {
  const items = text.split(',').map(item => item.trim())
  const wrong = items.find(item => !choices.includes(item))
  if (wrong !== undefined) return refused(`must be a comma-separated list of ${choices.join(', ')}; ${JSON.stringify(wrong)} is not one of these`)
  const twice = items.find((item, index) => items.indexOf(item) !== index)
  return twice === undefined ? accepted(items) : refused(`names ${twice} twice; name each once`)
}

/**
 * Returns the function that reads a text by its value's type alone.
 * @throws Error if no text can be read by this type, which is a mistake in the schema
 */
export function decoderOf (schema: TSchema): (text: string) => Decoded {
  if (KindGuard.IsInteger(schema)) {
    const { minimum = -Infinity, maximum = Infinity, unit } = schema
    return text => decodeInteger(text, minimum, maximum, unit)
  }
  if (KindGuard.IsBoolean(schema)) return text => text === 'true' || text === 'false' ? accepted(text === 'true') : refused('must be true or false, in lower case')
  if (KindGuard.IsString(schema)) return text => text === '' ? refused('is blank; give it a value, or remove it') : accepted(text)
  const choices = choicesOf(schema)
  if (choices !== undefined) return text => choices.includes(text) ? accepted(text) : refused(`must be one of ${choices.join(', ')}`)
  const itemChoices = KindGuard.IsArray(schema) ? choicesOf(schema.items) : undefined
  if (itemChoices !== undefined) return text => decodeList(text, itemChoices)
  throw new Error('No text can be read by this schema: say how')
}
