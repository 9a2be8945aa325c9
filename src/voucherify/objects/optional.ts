import { Type, type Static, type TOptional, type TSchema, type TUnion, type TNull, type TUnknown, type TUnsafe } from '@sinclair/typebox'
import type { DocumentedKey, DocumentedKeywords } from './documented-keywords.js'

/** A key that must be there and may be null. The description is repeated outside, where readers of the schema look. */
export function nullable<T extends TSchema> (schema: T, keywords: DocumentedKeywords = {}): TUnion<[T, TNull]> {
  const { description } = schema
  return Type.Union([schema, Type.Null()], { ...description === undefined ? {} : { description }, ...keywords })
}

/** A key that may be absent or null: Voucherify documents optional fields as typed and shows them as null. */
export function optional<T extends TSchema> (schema: T): TOptional<TUnion<[T, TNull]>> {
  return Type.Optional(nullable(schema))
}

/**
 * A key that the documents mark as required. Voucherify's own documented bodies lack such keys, so an event without one is
 * valid, and drift tells that it was missing.
 */
export function documented<T extends TSchema> (schema: T, key: DocumentedKey = {}): TOptional<TUnion<[T, TNull]>> {
  return Type.Optional(nullable(schema, { documentedKey: key }))
}

/** A string of which the documents list the values. The list is open: Voucherify adds values and calls that no breaking change. */
export type OneOf<T extends string> = T | (string & {})

/** A string of which the documents list the values. Another string is valid too, and drift tells that it was met. */
export function oneOf<const T extends readonly string[]> (values: T, description: string): TUnsafe<OneOf<T[number]>> {
  const keywords: DocumentedKeywords = { documentedValues: values }
  return Type.Unsafe<OneOf<T[number]>>(Type.String({ description, ...keywords }))
}

/** An object whose keys are not known beforehand and whose values all have one shape. */
export function mapOf<T extends TSchema> (values: T, description: string): TUnsafe<Record<string, Static<T>>> {
  return Type.Unsafe<Record<string, Static<T>>>(Type.Object({}, { additionalProperties: values, description }))
}

/** An object of which nothing is known: metadata is the team's own. */
export function anyObject (description: string): TUnsafe<Record<string, unknown>> {
  return Type.Unsafe<Record<string, unknown>>(Type.Object({}, { description }))
}

/** A key that the documents show and do not describe: any value will do. */
export function anything (description: string): TOptional<TUnknown> {
  return Type.Optional(Type.Unknown({ description }))
}

/** What an event is called, and what happened. */
export interface Words { readonly title: string, readonly description: string }

/** Whatever is not null counts as there: what is wrong with it is told at its own key, and only there. */
export function present () {
  return Type.Not(Type.Null())
}
