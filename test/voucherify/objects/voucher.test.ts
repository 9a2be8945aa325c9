import t from 'tap'
import { VoucherSchema } from '../../../src/voucherify/objects/voucher.js'
import { compileValidator } from '../../../src/voucherify/validate.js'
import { expectSchema } from '../support/expect-schema.js'
import { voucher } from '../support/full-objects.js'

const validate = compileValidator(VoucherSchema)

t.test('every key of a full voucher must have its type, and a fault has its pointer', t => {
  expectSchema(t, VoucherSchema, voucher)
  t.end()
})

t.test('a voucher without the keys that documented bodies lack is valid', t => {
  const { redeemed_quantity: _redeemed, ...redemption } = voucher.redemption
  const { prefix: _prefix, postfix: _postfix, ...codeConfig } = voucher.code_config
  const { balance: _balance, ...gift } = voucher.gift
  t.strictSame(validate({ ...voucher, redemption, code_config: codeConfig, gift }), [])
  t.strictSame(validate({ redemption: {}, code_config: null }), [])
  t.strictSame(validate({}), [])
  t.end()
})

t.test('keys that the documents show and do not describe may have any value', t => {
  for (const value of [null, 5, 'five', [], {}]) t.strictSame(validate({ code_config: { min_desired: value } }), [])
  t.end()
})

t.test('a voucher that can be used without limit has null as its quantity', t => {
  t.strictSame(validate({ ...voucher, redemption: { quantity: null, redeemed_quantity: 0 } }), [])
  t.end()
})
