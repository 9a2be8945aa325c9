import { type Static, type TSchema, type TString, type TTransform, Type } from '@sinclair/typebox'
import { decoderOf } from './decode-setting.js'
import type { Decoded } from './decoded.js'

/** A setting: a text in the environment that is decoded to a value. */
export interface Setting<T extends TSchema = TSchema> extends TTransform<TString, Static<T>> {
  /** The schema of the value, for a source that has JSON instead of text. */
  readonly value: T
}

/**
 * Makes a setting from the schema of its value. The options of `value` describe the setting: `group`, `description` and `default`. `unit` is the
 * unit of a number. `secret` keeps the value out of all messages. `fallback` says what an absent setting means if that depends on another one.
 * Decoding throws an Error that says what is wrong and what to do, in words that can follow the variable's name. Empty text means the default.
 * @param decode reads the text, with surrounding white space removed. Needed if the schema alone does not say how
 */
export function setting<T extends TSchema> (value: T, decode: (text: string) => Decoded<unknown> = decoderOf(value)): Setting<T> {
  const { group, description = '', unit, secret, fallback } = value
  const text = Type.String({ group, description, unit, secret, value, ...value.default === undefined ? { fallback } : { default: written(value.default) } })
  const transform = Type.Transform(text).Decode((text): Static<T> => {
    if (text === '') return structuredClone(value.default)
    const decoded = decode(text.trim())
    if (decoded.ok) return decoded.value as Static<T>
    throw new Error(decoded.reason)
  }).Encode(written)
  return transform as Setting<T>
}

function written (value: unknown): string {
  if (Array.isArray(value)) return value.join(',')
  return typeof value === 'object' && value !== null ? Object.entries(value).map(([name, text]) => `${name}: ${String(text)}`).join('\n') : String(value)
}
