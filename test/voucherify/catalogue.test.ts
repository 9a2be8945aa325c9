import t from 'tap'
import { EVENT_KEYS, catalogue, findEvent, findEventByName } from '../../src/voucherify/catalogue.js'
import { EnvelopeSchema } from '../../src/voucherify/envelope.js'
import { compileValidator } from '../../src/voucherify/validate.js'
import { expectSchema } from './support/expect-schema.js'
import { documented, documentedBody } from './support/fixtures.js'
import { campaign, envelope, tier } from './support/full-objects.js'

const names = [
  ['customer.loyalty.tier.joined', 'EVENTS.CUSTOMER.LOYALTY.TIER.JOINED', 'distribution'],
  ['customer.loyalty.tier.left', 'EVENTS.CUSTOMER.LOYALTY.TIER.LEFT', 'distribution'],
  ['customer.loyalty.tier.upgraded', 'EVENTS.CUSTOMER.LOYALTY.TIER.UPGRADED', 'distribution'],
  ['customer.loyalty.tier.downgraded', 'EVENTS.CUSTOMER.LOYALTY.TIER.DOWNGRADED', 'distribution'],
  ['customer.loyalty.tier.prolonged', 'EVENTS.CUSTOMER.LOYALTY.TIER.PROLONGED', 'distribution'],
  ['campaign.loyalty_tier.created', 'EVENTS.CAMPAIGN.LOYALTY_TIER.CREATED', 'project'],
  ['campaign.loyalty_tier.updated', 'EVENTS.CAMPAIGN.LOYALTY_TIER.UPDATED', 'project'],
  ['campaign.loyalty_tier.deleted', 'EVENTS.CAMPAIGN.LOYALTY_TIER.DELETED', 'project']
] as const

t.test('the eight documented events are there, by type, by name, and with their sender', t => {
  t.strictSame(catalogue.map(event => [event.type, event.documentationName, event.kind]), names)
  for (const [type, name] of names) {
    t.equal(findEvent(type)?.type, type)
    for (const spelt of [type, type.toUpperCase(), name, name.toLowerCase()]) t.equal(findEventByName(spelt)?.type, type, spelt)
  }
  t.end()
})

t.test('what is not in the catalogue is not found, also not by the names that every object has', t => {
  for (const type of ['', 'voucher.created', 'CUSTOMER.LOYALTY.TIER.LEFT', 'constructor', '__proto__', 'customer.loyalty.tier.left ']) {
    t.equal(findEvent(type), undefined, type)
  }
  for (const name of ['', 'EVENTS.', 'EVENTS.VOUCHER.CREATED', 'toString']) t.equal(findEventByName(name), undefined, name)
  t.end()
})

t.test('the keys of a bare body are those of the bodies, and none of the envelope', t => {
  t.strictSame([...EVENT_KEYS], ['customer', 'campaign', 'loyalty_tier', 'loyalty_tier_from', 'loyalty_tier_to'])
  t.notOk(EVENT_KEYS.some(key => key in EnvelopeSchema.properties))
  t.end()
})

t.test('every event has a title and a description of its own, and its schemas are nothing but JSON', t => {
  t.equal(new Set(catalogue.map(event => event.bodySchema.title)).size, catalogue.length)
  for (const { bodySchema, envelopeSchema, type } of catalogue) {
    t.type(bodySchema.description, 'string', type)
    t.strictSame(JSON.parse(JSON.stringify(envelopeSchema)).properties.data.title, bodySchema.title)
  }
  t.end()
})

for (const type of documented) {
  const { bodySchema, envelopeSchema } = findEvent(type) ?? catalogue[0]

  t.test(`${type}: every key of the documented body is held to its type, and told at its own pointer`, t => {
    expectSchema(t, bodySchema, documentedBody(type))
    t.end()
  })

  t.test(`${type}: the same in an envelope`, t => {
    expectSchema(t, envelopeSchema, { ...envelope, event: { ...envelope.event, type }, data: documentedBody(type) })
    t.end()
  })
}

t.test('faults in an envelope count from its root, and the body that holds nothing is told as the data', t => {
  const validate = compileValidator(findEvent('campaign.loyalty_tier.deleted')?.envelopeSchema ?? EnvelopeSchema)
  const around = (data: unknown) => ({ ...envelope, event: { type: 'campaign.loyalty_tier.deleted' }, data })
  t.strictSame(validate(around({ campaign, loyalty_tier: { ...tier, name: 1 } })), [{ pointer: '/data/loyalty_tier/name', message: 'must be a string' }])
  t.strictSame(validate(around({})), [{ pointer: '/data', message: 'must have a campaign or a loyalty_tier' }])
  t.end()
})
