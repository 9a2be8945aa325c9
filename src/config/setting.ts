import { type Static, type TSchema, type TString, type TTransform, Type } from '@sinclair/typebox'
import { decoderOf } from './decode-setting.js'
import type { Decoded } from './decoded.js'

/** A setting: text in the environment, which is decoded to a value. */
export interface Setting<T extends TSchema = TSchema> extends TTransform<TString, Static<T>> {
  /** What the value is, for where it comes as JSON and not as text. */
  readonly value: T
}

/**
 * Makes a setting of what its value is. The options of `value` describe it: `group`, `description`, `default`; `unit` is what a number counts;
 * `secret` keeps the value out of every message; `fallback` says what an absent setting means where that depends on another one.
 *
 * Decoding throws an Error with what is wrong and what to do, in words that follow "it". Empty text stands for the default.
 * @param decode reads the text, trimmed of white space around it; needed where the type alone does not tell
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
