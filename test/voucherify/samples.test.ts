import t from 'tap'
import { catalogue, tierEvents } from '../../src/voucherify/catalogue.js'
import { EnvelopeSchema } from '../../src/voucherify/envelope.js'
import { breakSample, sampleEnvelope, sampleEvent } from '../../src/voucherify/samples.js'
import { compileValidator } from '../../src/voucherify/validate.js'

const now = new Date('2026-03-01T00:00:00Z')
const indexes = Array.from({ length: 501 }, (_, index) => index)
const validateEnvelope = compileValidator(EnvelopeSchema)

for (const { type, kind, bodySchema, envelopeSchema, alsoKnown } of catalogue) {
  const validateBody = compileValidator(bodySchema)
  const validate = compileValidator(envelopeSchema)

  t.test(`${type}: samples are valid, bare and in an envelope, and all differ`, t => {
    const faults = indexes.flatMap(index => [...validateBody(sampleEvent(type, { index, now })), ...validate(sampleEnvelope(type, { index, now }))])
    t.strictSame(faults, [])
    t.equal(new Set(indexes.map(index => JSON.stringify(sampleEvent(type, { index, now })))).size, indexes.length)
    t.end()
  })

  t.test(`${type}: the envelope is that of the right sender`, t => {
    const sender = kind === 'project'
      ? { type, source: { object: 'webhook', id: /^wh_/ } }
      : { type: String, source: { object: 'distribution', id: /^distr_/ } }
    t.match(indexes.map(index => sampleEnvelope(type, { index, now })), indexes.map(() => ({
      ...sender, id: /^whs_/, project_id: /^proj_/, event: { id: /^ev_/, type, group_id: /^v-/ }
    })))
    t.end()
  })

  t.test(`${type}: a broken sample has faults in its data, and is still an envelope of its event`, t => {
    const broken = indexes.map(index => breakSample(sampleEnvelope(type, { index, now }), index))
    t.strictSame(broken.flatMap(envelope => validateEnvelope({ ...envelope, data: {} })), [])
    t.ok(broken.every(envelope => envelope.event.type === type))
    t.ok(broken.every(envelope => {
      const faults = validate(envelope)
      return faults.length > 0 && faults.every(fault => alsoKnown ? fault.pointer === '/data' : fault.pointer.startsWith('/data/campaign'))
    }))
    t.end()
  })
}

t.test('the same index makes the same sample, and another seed another one', t => {
  const [{ type }] = catalogue
  const sample = sampleEnvelope(type, { index: 3, now })
  t.strictSame(sampleEnvelope(type, { index: 3, now, seed: '' }), sample)
  const other = sampleEnvelope(type, { index: 3, now, seed: 'b' })
  t.not(other.event.id, sample.event.id)
  t.not(other.id, sample.id)
  t.not(other.data.customer?.id, sample.data.customer?.id)
  t.end()
})

t.test('every event id and every send-out id is unique', t => {
  const samples = catalogue.flatMap(({ type }) => indexes.map(index => sampleEnvelope(type, { index, now })))
  t.equal(new Set(samples.map(sample => sample.event.id)).size, samples.length)
  t.equal(new Set(samples.map(sample => sample.id)).size, samples.length)
  t.end()
})

t.test('samples show every form that the events have', t => {
  const bodies = tierEvents.flatMap(({ type }) => indexes.map(index => JSON.stringify(sampleEvent(type, { index, now }))))
  const envelopes = indexes.map(index => JSON.stringify(sampleEnvelope('customer.loyalty.tier.left', { index, now })))
  for (const form of [
    '"type":"AMOUNT"', '"type":"PERCENT"', '"type":"FIXED"', '"units":null', '"units":[', '"gift":{', '"loyalty_card":{', '"expiration_rules":{',
    '"referral_program":{', '"categories":[', '"MULTIPLY"', '"CUSTOM"', '"points":{"from":2000}', '"customer":null', '"campaign":null', '"email":null',
    '"metadata":null', '"loyalty_tier":null', '"expiration":{', /"start_date":"\d{4}-\d\d-\d\d"/, /"expiration_date":"\d{4}-\d\d-\d\dT/, 'Łukasz', '陳美玲', '"earning_rules":{}', '{"loyalty_tier":'
  ]) t.ok(bodies.some(body => typeof form === 'string' ? body.includes(form) : form.test(body)), String(form))
  for (const form of ['"type":""', '"USER_PORTAL"', '"API"', '"INTERNAL"', '"CLIENT_API"']) t.ok(envelopes.some(text => text.includes(form)), form)
  t.ok(bodies.some(body => !body.includes('"email"')), 'some sample has no "email" key')
  t.end()
})
