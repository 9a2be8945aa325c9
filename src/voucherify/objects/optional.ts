import { Type, type Static, type TOptional, type TSchema, type TUnion, type TNull, type TUnknown, type TUnsafe } from '@sinclair/typebox'
import type { DocumentedKey, DocumentedKeywords } from './documented-keywords.js'

/** Returns the schema of a key that must exist and may be null. The description is repeated outside, where readers of the schema look. */
export function nullable<T extends TSchema> (schema: T, keywords: DocumentedKeywords = {}): TUnion<[T, TNull]> {
  const { description } = schema
  return Type.Union([schema, Type.Null()], { ...description === undefined ? {} : { description }, ...keywords })
}

/** Returns the schema of a key that may be absent or null. Voucherify documents optional fields with a type and shows them as null. */
export function optional<T extends TSchema> (schema: T): TOptional<TUnion<[T, TNull]>> {
  return Type.Optional(nullable(schema))
}

/**
 * Returns the schema of a key that the documentation marks as required. Voucherify's own documented bodies lack such keys. So an event without
 * one is valid, and the missing key is reported as drift.
 */
export function documented<T extends TSchema> (schema: T, key: DocumentedKey = {}): TOptional<TUnion<[T, TNull]>> {
  return Type.Optional(nullable(schema, { documentedKey: key }))
}

/** A string whose values the documentation lists. The list is open: Voucherify adds values without calling that a breaking change. */
export type OneOf<T extends string> = T | (string & {})

/** Returns the schema of a string whose values the documentation lists. Other strings are valid too, and are reported as drift. */
export function oneOf<const T extends readonly string[]> (values: T, description: string): TUnsafe<OneOf<T[number]>> {
  const keywords: DocumentedKeywords = { documentedValues: values }
  return Type.Unsafe<OneOf<T[number]>>(Type.String({ description, ...keywords }))
}

/** Returns the schema of an object with unknown keys, whose values all have the same schema. */
export function mapOf<T extends TSchema> (values: T, description: string): TUnsafe<Record<string, Static<T>>> {
  return Type.Unsafe<Record<string, Static<T>>>(Type.Object({}, { additionalProperties: values, description }))
}

/** Returns the schema of an object of which nothing is known, such as metadata, which the team defines. */
export function anyObject (description: string): TUnsafe<Record<string, unknown>> {
  return Type.Unsafe<Record<string, unknown>>(Type.Object({}, { description }))
}

/** Returns the schema of a key that the documentation shows without describing it. Any value is valid. */
export function anything (description: string): TOptional<TUnknown> {
  return Type.Optional(Type.Unknown({ description }))
}

/** The title and description of an event. */
export interface Words { readonly title: string, readonly description: string }

/** Returns the schema of any value but null. Faults in the value are reported only by the schema of the value's key. */
export function present () {
  return Type.Not(Type.Null())
}
