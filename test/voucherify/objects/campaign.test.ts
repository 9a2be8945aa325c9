import t from 'tap'
import { CampaignSchema } from '../../../src/voucherify/objects/campaign.js'
import { compileValidator } from '../../../src/voucherify/validate.js'
import { expectSchema } from '../support/expect-schema.js'
import { campaign } from '../support/full-objects.js'

const validate = compileValidator(CampaignSchema)

t.test('every key of a full campaign must have its type, and a fault has its pointer', t => {
  expectSchema(t, CampaignSchema, campaign)
  t.end()
})

t.test('a campaign without any key is valid, because the documents require none', t => {
  t.strictSame(validate({}), [])
  t.end()
})

t.test('a faulty category is reported with its place in the list', t => {
  const [first] = campaign.categories
  t.strictSame(validate({ categories: [first, { ...first, hierarchy: '1' }] }), [
    { pointer: '/categories/1/hierarchy', message: 'must be an integer' }
  ])
  t.end()
})
