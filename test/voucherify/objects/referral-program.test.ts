import t from 'tap'
import { ReferralProgramSchema } from '../../../src/voucherify/objects/referral-program.js'
import { compileValidator } from '../../../src/voucherify/validate.js'
import { expectSchema } from '../support/expect-schema.js'
import { referralProgram } from '../support/full-objects.js'

const validate = compileValidator(ReferralProgramSchema)

t.test('every key of a full referral-program must have its type, and a fault has its pointer', t => {
  expectSchema(t, ReferralProgramSchema, referralProgram)
  t.end()
})

t.test('a reward\'s amount may be a string or a number, and nothing else', t => {
  t.strictSame(validate({ referee_reward: { amount: '500' } }), [])
  t.strictSame(validate({ referee_reward: { amount: 500 } }), [])
  t.strictSame(validate({ referee_reward: { amount: null } }), [])
  t.strictSame(validate({ referee_reward: { amount: true } }), [
    { pointer: '/referee_reward/amount', message: 'must be a string or a number' }
  ])
  t.end()
})

t.test('the parent of a reward is a campaign in upper or lower case, or of a new kind', t => {
  for (const object of ['campaign', 'CAMPAIGN', 'promotion']) t.strictSame(validate({ referee_reward: { related_object_parent: { object } } }), [])
  t.strictSame(validate({ referee_reward: { related_object_parent: { object: 1 } } }), [
    { pointer: '/referee_reward/related_object_parent/object', message: 'must be a string' }
  ])
  t.end()
})
