import t from 'tap'
import { VoucherSchema } from '../../../src/voucherify/objects/voucher.js'
import { compileValidator } from '../../../src/voucherify/validate.js'
import { expectSchema } from '../support/expect-schema.js'
import { voucher } from '../support/full-objects.js'

const validate = compileValidator(VoucherSchema)

t.test('every key of a full voucher is held to its type, and told at its own pointer', t => {
  expectSchema(t, VoucherSchema, voucher)
  t.end()
})

t.test('a voucher that can be used without limit has null as its quantity', t => {
  t.strictSame(validate({ ...voucher, redemption: { quantity: null, redeemed_quantity: 0 } }), [])
  t.strictSame(validate({ ...voucher, redemption: {} }), [
    { pointer: '/redemption/quantity', message: 'is required' },
    { pointer: '/redemption/redeemed_quantity', message: 'is required' }
  ])
  t.end()
})
