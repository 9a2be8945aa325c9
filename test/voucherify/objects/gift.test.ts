import t from 'tap'
import { GiftSchema } from '../../../src/voucherify/objects/voucher.js'
import { compileValidator } from '../../../src/voucherify/validate.js'
import { expectSchema } from '../support/expect-schema.js'
import { gift } from '../support/full-objects.js'

const validate = compileValidator(GiftSchema)

t.test('every key of a full gift is held to its type, and told at its own pointer', t => {
  expectSchema(t, GiftSchema, gift)
  t.end()
})

t.test('a gift without a balance, as documented bodies have it, is valid', t => {
  t.strictSame(validate({ amount: 1 }), [])
  t.end()
})
