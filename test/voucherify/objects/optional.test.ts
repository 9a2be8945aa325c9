import { Type } from '@sinclair/typebox'
import t from 'tap'
import { anyObject, mapOf, nullable, oneOf, optional } from '../../../src/voucherify/objects/optional.js'
import { compileValidator } from '../../../src/voucherify/validate.js'

t.test('an optional key may be absent or null, a nullable key only null', t => {
  const validate = compileValidator(Type.Object({ may: optional(Type.String()), must: nullable(Type.String()) }))
  t.strictSame(validate({ must: null }), [])
  t.strictSame(validate({ must: 'a', may: null }), [])
  t.strictSame(validate({ may: 'a' }), [{ pointer: '/must', message: 'is required' }])
  t.end()
})

t.test('the description stands where the union stands', t => {
  t.equal(nullable(Type.String({ description: 'Words' })).description, 'Words')
  t.notOk('description' in nullable(Type.String()))
  t.equal(oneOf(['A'], 'Words').description, 'Words')
  t.equal(mapOf(Type.String(), 'Words').description, 'Words')
  t.equal(anyObject('Words').description, 'Words')
  t.end()
})

t.test('an enumeration of one is that one', t => {
  t.strictSame(compileValidator(oneOf(['A'], 'One'))('B'), [{ pointer: '', message: 'must be A' }])
  t.end()
})
