import type { TSchema } from '@sinclair/typebox'
import type { Test } from 'tap'
import { compileValidator } from '../../../src/voucherify/validate.js'
import { addAt, placesOf, replaceAt } from './walk-schema.js'

/**
 * Holds a schema to a valid value, key by key: wrong type, removed, null, and an unlisted key beside it. Every fault must
 * be told at its own pointer and nowhere else.
 */
export function expectSchema (t: Test, schema: TSchema, value: unknown): void {
  const validate = compileValidator(schema)
  const pointers = (changed: unknown) => validate(changed).map(fault => fault.pointer)
  t.strictSame(validate(value), [], 'the value is valid')
  let places = 0
  for (const { pointer, path, required, nullable, open, wrong } of placesOf(schema, value)) {
    places += 1
    if (open) t.strictSame(pointers(addAt(value, path)), [], `an unlisted key in "${pointer}" is accepted`)
    if (path.length === 0) continue
    t.strictSame(pointers(replaceAt(value, path, wrong)), [pointer], `a wrong type at ${pointer} is reported there`)
    t.strictSame(pointers(replaceAt(value, path, null)), nullable ? [] : [pointer], `null at ${pointer} is ${nullable ? 'accepted' : 'reported'}`)
    if (/\/\d+$/.test(pointer)) continue
    const removed = validate(replaceAt(value, path, undefined))
    t.strictSame(removed, required ? [{ pointer, message: 'is required' }] : [], `a missing ${pointer} is ${required ? 'reported' : 'accepted'}`)
  }
  t.ok(places > 2, 'the test visited some keys')
}
