import t from 'tap'
import { GiftSchema } from '../../../src/voucherify/objects/voucher.js'
import { compileValidator } from '../../../src/voucherify/validate.js'
import { expectSchema } from '../support/expect-schema.js'
import { gift } from '../support/full-objects.js'

const validate = compileValidator(GiftSchema)

t.test('every key of a full gift must have its type, and a fault has its pointer', t => {
  expectSchema(t, GiftSchema, gift)
  t.end()
})

t.test('a gift without a balance, as in documented bodies, is valid', t => {
  t.strictSame(validate({ amount: 1 }), [])
  t.end()
})
