import t from 'tap'
import { EVENT_KEYS, catalogue, findEvent, findEventByName, tierEvents } from '../../src/voucherify/catalogue.js'
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

const alsoKnown = [
  ['voucher.loyalty_card.transaction.created', 'project'],
  ['voucher.loyalty_card.points_added', 'project'],
  ['voucher.loyalty_card.points_expired', 'project'],
  ['voucher.loyalty_card.pending_points.added', 'project'],
  ['voucher.loyalty_card.pending_points.updated', 'project'],
  ['loyalty_card.pending_points.updated', 'project'],
  ['voucher.loyalty_card.pending_points.activated', 'project'],
  ['voucher.loyalty_card.pending_points.canceled', 'project'],
  ['customer.rewarded', 'project'],
  ['customer.rewarded.loyalty_points', 'project'],
  ['customer.voucher.loyalty_card.points_added', 'distribution'],
  ['customer.voucher.loyalty_card.points_expired', 'distribution'],
  ['customer.voucher.loyalty_card.pending_points.added', 'distribution'],
  ['customer.voucher.loyalty_card.pending_points.updated', 'distribution'],
  ['customer.voucher.loyalty_card.pending_points.activated', 'distribution'],
  ['customer.voucher.loyalty_card.pending_points.canceled', 'distribution'],
  ['customer.reward_redemptions.completed', 'distribution']
] as const

t.test('the eight loyalty tier events come first, then what is also known, by type, by name, and with their sender', t => {
  t.strictSame(tierEvents.map(event => [event.type, event.documentationName, event.kind]), names)
  t.strictSame(catalogue.slice(0, names.length), tierEvents)
  t.ok(tierEvents.every(event => !event.alsoKnown))
  t.strictSame(catalogue.slice(names.length).map(event => [event.type, event.kind]), alsoKnown)
  t.ok(catalogue.slice(names.length).every(event => event.alsoKnown))
  for (const [type, name] of [...names, ...alsoKnown.map(([type]) => [type, `EVENTS.${type.toUpperCase()}`] as const)]) {
    t.equal(findEvent(type)?.type, type)
    for (const spelt of [type, type.toUpperCase(), name, name.toLowerCase()]) t.equal(findEventByName(spelt)?.type, type, spelt)
  }
  t.end()
})

t.test('an unknown name is not found, also not one that every object has', t => {
  for (const type of ['', 'voucher.created', 'CUSTOMER.LOYALTY.TIER.LEFT', 'constructor', '__proto__', 'customer.loyalty.tier.left ']) {
    t.equal(findEvent(type), undefined, type)
  }
  for (const name of ['', 'EVENTS.', 'EVENTS.VOUCHER.CREATED', 'toString']) t.equal(findEventByName(name), undefined, name)
  t.end()
})

t.test('the keys of a bare body are those of the schemas of bodies, and none of the envelope', t => {
  t.strictSame([...EVENT_KEYS], ['customer', 'campaign', 'loyalty_tier', 'loyalty_tier_from', 'loyalty_tier_to'])
  t.notOk(EVENT_KEYS.some(key => key in EnvelopeSchema.properties))
  t.end()
})

t.test('an event that is also known accepts any object, with an envelope and bare', t => {
  for (const { type, bodySchema, envelopeSchema } of catalogue.slice(names.length)) {
    const [bare, enveloped] = [compileValidator(bodySchema), compileValidator(envelopeSchema)]
    const around = (data: unknown) => enveloped({ ...envelope, event: { ...envelope.event, type }, data })
    for (const body of [{}, { customer: 5, points: 'many' }, { holder_loyalty_tier: null }, { holder_loyalty_tier: { any: 'thing' } }]) {
      t.strictSame([...bare(body), ...around(body)], [], type)
    }
    for (const body of [[], 'points', null, 5]) t.strictSame(around(body), [{ pointer: '/data', message: 'must be an object' }], type)
  }
  t.end()
})

t.test('every event has a unique title and description, and its schemas are pure JSON', t => {
  t.equal(new Set(catalogue.map(event => event.bodySchema.title)).size, catalogue.length)
  for (const { bodySchema, envelopeSchema, type } of catalogue) {
    t.type(bodySchema.description, 'string', type)
    t.strictSame(JSON.parse(JSON.stringify(envelopeSchema)).properties.data.title, bodySchema.title)
  }
  t.end()
})

for (const type of documented) {
  const { bodySchema, envelopeSchema } = findEvent(type) ?? catalogue[0]

  t.test(`${type}: every key of the documented body must have its type, and a fault has its pointer`, t => {
    expectSchema(t, bodySchema, documentedBody(type))
    t.end()
  })

  t.test(`${type}: every key of the body in an envelope must have its type, and a fault has its pointer`, t => {
    expectSchema(t, envelopeSchema, { ...envelope, event: { ...envelope.event, type }, data: documentedBody(type) })
    t.end()
  })
}

t.test('pointers of faults in an envelope start at its root, and a body without any known part is reported at data', t => {
  const validate = compileValidator(findEvent('campaign.loyalty_tier.deleted')?.envelopeSchema ?? EnvelopeSchema)
  const around = (data: unknown) => ({ ...envelope, event: { type: 'campaign.loyalty_tier.deleted' }, data })
  t.strictSame(validate(around({ campaign, loyalty_tier: { ...tier, name: 1 } })), [{ pointer: '/data/loyalty_tier/name', message: 'must be a string' }])
  t.strictSame(validate(around({})), [{ pointer: '/data', message: 'must have a campaign or a loyalty_tier' }])
  t.end()
})
