import t from 'tap'
import { CustomerSchema } from '../../../src/voucherify/objects/customer.js'
import { compileValidator } from '../../../src/voucherify/validate.js'
import { expectSchema } from '../support/expect-schema.js'
import { customer } from '../support/full-objects.js'

const validate = compileValidator(CustomerSchema)

t.test('every key of a full customer is held to its type, and told at its own pointer', t => {
  expectSchema(t, CustomerSchema, customer)
  t.end()
})

t.test('a customer without an id is nobody', t => {
  t.strictSame(validate({ name: 'Zoë' }), [{ pointer: '/id', message: 'is required' }])
  t.strictSame(validate({ id: null }), [{ pointer: '/id', message: 'must be a string' }])
  t.end()
})

t.test('metadata is the team\'s own: any keys, but an object', t => {
  t.strictSame(validate({ id: 'cust_1', metadata: { __proto__: null, '': [], deep: { deeper: {} } } }), [])
  t.strictSame(validate({ id: 'cust_1', metadata: [] }), [{ pointer: '/metadata', message: 'must be an object' }])
  t.end()
})
