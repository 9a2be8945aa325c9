import { Type, type Static, type TOptional, type TSchema, type TUnion, type TNull, type TUnsafe } from '@sinclair/typebox'

/** A key that must be there and may be null. The description is repeated outside, where readers of the schema look. */
export function nullable<T extends TSchema> (schema: T): TUnion<[T, TNull]> {
  const { description } = schema
  return Type.Union([schema, Type.Null()], description === undefined ? {} : { description })
}

/** A key that may be absent or null: Voucherify documents optional fields as typed and shows them as null. */
export function optional<T extends TSchema> (schema: T): TOptional<TUnion<[T, TNull]>> {
  return Type.Optional(nullable(schema))
}

/** An enumeration: one of these strings, letter for letter. */
export function oneOf<const T extends readonly string[]> (values: T, description: string): TUnsafe<T[number]> {
  return Type.Unsafe<T[number]>(Type.Union(values.map(value => Type.Literal(value)), { description }))
}

/** An object whose keys are not known beforehand and whose values all have one shape. */
export function mapOf<T extends TSchema> (values: T, description: string): TUnsafe<Record<string, Static<T>>> {
  return Type.Unsafe<Record<string, Static<T>>>(Type.Object({}, { additionalProperties: values, description }))
}

/** An object of which nothing is known: metadata is the team's own. */
export function anyObject (description: string): TUnsafe<Record<string, unknown>> {
  return Type.Unsafe<Record<string, unknown>>(Type.Object({}, { description }))
}
