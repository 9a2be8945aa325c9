import { KindGuard, type TObject, type TSchema, type TString } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import fc from 'fast-check'
import { documentedKeywords } from '../../src/voucherify/objects/documented-keywords.js'

/** Keys that no schema lists. An open object may have them. */
const unlisted = fc.dictionary(fc.stringMatching(/^x_[a-z]{1,5}$/), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 2 })

/**
 * Makes values that a schema accepts, with all the freedom that it leaves: absent keys, null, every branch of a union, unlisted keys.
 * @throws {Error} for an unsupported kind of schema
 */
export function valueFrom (schema: TSchema): fc.Arbitrary<unknown> {
  if (KindGuard.IsNull(schema)) return fc.constant(null)
  if (KindGuard.IsLiteral(schema)) return fc.constant(schema.const)
  if (KindGuard.IsBoolean(schema)) return fc.boolean()
  if (KindGuard.IsUnknown(schema)) return fc.jsonValue({ maxDepth: 1 })
  if (KindGuard.IsString(schema)) return stringFrom(schema)
  if (KindGuard.IsInteger(schema)) return fc.integer({ min: schema.minimum ?? -(2 ** 31), max: schema.maximum ?? 2 ** 31 - 1 })
  if (KindGuard.IsNumber(schema)) return fc.double({ noNaN: true, noDefaultInfinity: true })
  if (KindGuard.IsUnion(schema)) return fc.oneof(...schema.anyOf.map(valueFrom))
  if (KindGuard.IsArray(schema)) return fc.array(valueFrom(schema.items), { maxLength: 2 })
  if (KindGuard.IsObject(schema)) return objectFrom(schema)
  if (KindGuard.IsIntersect(schema)) {
    // The first part has the keys. The whole value is checked against the other parts.
    const [first] = schema.allOf
    if (first !== undefined) return valueFrom(first).filter((value) => Value.Check(schema, value))
  }
  throw new Error(`There are no values for ${JSON.stringify(schema)}`)
}

function stringFrom (schema: TString): fc.Arbitrary<string> {
  const { documentedValues } = documentedKeywords(schema)
  const anyText = fc.string({ unit: 'binary', maxLength: 12 })
  if (documentedValues !== undefined) return fc.oneof(fc.constantFrom(...documentedValues), anyText)
  switch (schema.format) {
    case 'date-time': return dateTime()
    case 'date': return dateTime().map((text) => text.slice(0, 10))
    default: return anyText
  }
}

function objectFrom (schema: TObject): fc.Arbitrary<unknown> {
  const required = schema.required ?? []
  const listed = fc.record(Object.fromEntries(Object.entries(schema.properties).map(([key, value]) => [key, valueFrom(value)])), { requiredKeys: required })
  const others = typeof schema.additionalProperties === 'object'
    ? fc.dictionary(fc.string({ maxLength: 6 }), valueFrom(schema.additionalProperties), { maxKeys: 2, noNullPrototype: true })
    : unlisted
  return fc.tuple(others, listed).map(([other, value]) => ({ ...other, ...value }))
}

/** Makes RFC 3339 date-times in various forms. */
function dateTime (): fc.Arbitrary<string> {
  const date = fc.date({ min: new Date('1970-01-01T00:00:00Z'), max: new Date('2999-12-31T00:00:00Z'), noInvalidDate: true })
  return fc.tuple(date, fc.constantFrom('Z', '+00:00', '-07:30', '+14:00')).map(([at, zone]) => at.toISOString().replace('Z', zone))
}
