import t from 'tap'
import * as events from '../../../src/voucherify/events/campaign-tier.js'
import { compileValidator } from '../../../src/voucherify/validate.js'
import { expectSchema } from '../support/expect-schema.js'
import { campaign, tier } from '../support/full-objects.js'

const schemas = [events.CampaignTierCreatedSchema, events.CampaignTierUpdatedSchema, events.CampaignTierDeletedSchema]

for (const schema of schemas) {
  t.test(`${schema.title}: every key of a full body must have its type, and a fault has its pointer`, t => {
    expectSchema(t, schema, { campaign, loyalty_tier: tier })
    t.end()
  })

  t.test(`${schema.title}: a campaign or a tier is enough, and a body with neither is invalid`, t => {
    const validate = compileValidator(schema)
    t.strictSame(validate({ campaign }), [])
    t.strictSame(validate({ loyalty_tier: tier }), [])
    t.strictSame(validate({ campaign: null, loyalty_tier: tier }), [])
    const none = [{ pointer: '', message: 'must have a campaign or a loyalty_tier' }]
    for (const body of [{}, { campaign: null }, { campaign: null, loyalty_tier: null }, { voucher: {} }]) t.strictSame(validate(body), none)
    t.end()
  })

  t.test(`${schema.title}: a wrong value is reported only at its key`, t => {
    const validate = compileValidator(schema)
    t.strictSame(validate({ campaign: 'camp_1' }), [{ pointer: '/campaign', message: 'must be an object' }])
    t.strictSame(validate(null), [{ pointer: '', message: 'must be an object' }])
    t.end()
  })
}
