import t from 'tap'
import { CustomerSchema } from '../../../src/voucherify/objects/customer.js'
import { compileValidator } from '../../../src/voucherify/validate.js'
import { expectSchema } from '../support/expect-schema.js'
import { customer } from '../support/full-objects.js'

const validate = compileValidator(CustomerSchema)

t.test('every key of a full customer must have its type, and a fault has its pointer', t => {
  expectSchema(t, CustomerSchema, customer)
  t.end()
})

t.test('a customer without an id is a fault', t => {
  t.strictSame(validate({ name: 'Zoë' }), [{ pointer: '/id', message: 'is required' }])
  t.strictSame(validate({ id: null }), [{ pointer: '/id', message: 'must be a string' }])
  t.end()
})

t.test('metadata may have any keys, but must be an object', t => {
  t.strictSame(validate({ id: 'cust_1', metadata: { __proto__: null, '': [], deep: { deeper: {} } } }), [])
  t.strictSame(validate({ id: 'cust_1', metadata: [] }), [{ pointer: '/metadata', message: 'must be an object' }])
  t.end()
})
