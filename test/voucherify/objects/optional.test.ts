import { Type, type Static } from '@sinclair/typebox'
import t from 'tap'
import { anyObject, anything, documented, mapOf, nullable, oneOf, optional } from '../../../src/voucherify/objects/optional.js'
import { compileValidator } from '../../../src/voucherify/validate.js'

t.test('an optional key may be absent or null, a nullable key only null', t => {
  const validate = compileValidator(Type.Object({ may: optional(Type.String()), must: nullable(Type.String()) }))
  t.strictSame(validate({ must: null }), [])
  t.strictSame(validate({ must: 'a', may: null }), [])
  t.strictSame(validate({ may: 'a' }), [{ pointer: '/must', message: 'is required' }])
  t.end()
})

t.test('the description is on the union itself', t => {
  t.equal(nullable(Type.String({ description: 'Words' })).description, 'Words')
  t.notOk('description' in nullable(Type.String()))
  t.equal(oneOf(['A'], 'Words').description, 'Words')
  t.equal(mapOf(Type.String(), 'Words').description, 'Words')
  t.equal(anyObject('Words').description, 'Words')
  t.equal(anything('Words').description, 'Words')
  t.equal(documented(Type.String({ description: 'Words' })).description, 'Words')
  t.end()
})

t.test('an open enumeration accepts other strings, and nothing else', t => {
  const validate = compileValidator(oneOf(['A'], 'One'))
  t.strictSame(validate('B'), [])
  t.strictSame(validate(1), [{ pointer: '', message: 'must be a string' }])
  const value: Static<ReturnType<typeof oneOf<readonly ['A', 'B']>>> = 'C'
  t.equal(value, 'C', 'the type allows other strings too')
  t.end()
})

t.test('a documented key may be absent or null, and keeps its type', t => {
  const validate = compileValidator(Type.Object({ key: documented(Type.Integer()), open: anything('Anything') }))
  for (const value of [{}, { key: null }, { key: 1, open: [] }, { open: 1 }]) t.strictSame(validate(value), [])
  t.strictSame(validate({ key: '1' }), [{ pointer: '/key', message: 'must be an integer' }])
  t.end()
})
