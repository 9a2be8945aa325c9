import t from 'tap'
import { eventIds } from '../../src/simulator/event-ids.js'
import { createBodyGenerator } from '../../src/simulator/body-generator.js'
import { createSampleGenerator, type SampleGeneratorOptions } from '../../src/simulator/sample-generator.js'
import { catalogue, findEvent } from '../../src/voucherify/catalogue.js'
import { sign, verifySignature } from '../../src/voucherify/signature.js'
import { compileValidator } from '../../src/voucherify/validate.js'

const secret = 'a-secret'
const ids = eventIds('0123456789ab')
const happenedAt = Date.UTC(2026, 0, 31)

function samples (options: Partial<SampleGeneratorOptions> = {}) {
  return createSampleGenerator({
    types: ['customer.loyalty.tier.upgraded'],
    kind: undefined,
    raw: false,
    invalid: false,
    urlOf: eventType => new URL(`https://receiver.example/hooks/${eventType}?a=1`),
    eventIds: ids,
    seed: 'seed',
    seal: { secret, headers: {} },
    ...options
  })
}

function read (body: Uint8Array) {
  return JSON.parse(Buffer.from(body).toString())
}

t.test('every event of the catalogue is valid, signed, compact, and from the source that Voucherify uses', async t => {
  const [first, ...others] = catalogue.map(({ type }) => type)
  if (first === undefined) throw new Error('the catalogue is empty')
  const generator = samples({ types: [first, ...others] })
  t.equal(generator.sources.length, 13, 'one distribution for each event type that has one, and the project\'s webhook')
  for (const [index, { type, kind, envelopeSchema }] of catalogue.entries()) {
    const { url, body, headers } = generator.webhook(index, happenedAt)
    const envelope = read(body)
    t.equal(JSON.stringify(envelope), Buffer.from(body).toString())
    t.strictSame(compileValidator(envelopeSchema)(envelope), [])
    t.match(envelope, { id: ids.sendOutId(index), event: { type, id: ids.eventId(index) }, source: { target_url: url.href, id: generator.sourceOf(index), object: kind === 'project' ? 'webhook' : 'distribution' } })
    t.match(envelope.source.id, kind === 'project' ? /^wh_/ : /^distr_/)
    if (kind === 'project') t.equal(envelope.type, type, 'the project webhook names the event type')
    t.ok(verifySignature({ rawBody: body, header: headers['x-voucherify-signature'], secrets: [secret] }).ok)
  }
})

t.test('the same event can be made again byte for byte, and each event has its own ids', async t => {
  const [one, again] = [samples(), samples()]
  for (let index = 0; index < 50; index++) t.strictSame(one.webhook(index, happenedAt), again.webhook(index, happenedAt))
  const eventIdsSeen = new Set(Array.from({ length: 50 }, (_, index) => read(one.webhook(index, happenedAt).body).event.id))
  t.equal(eventIdsSeen.size, 50)
  t.equal(samples({ seed: 'other' }).sourceOf(0), one.sourceOf(0), 'a distribution has the same id in every run')
})

t.test('an event without a schema is sent in an envelope too, from either kind of webhook', async t => {
  const project = read(samples({ types: ['redemption.succeeded'] }).webhook(0, happenedAt).body)
  t.match(project, { type: 'redemption.succeeded', source: { object: 'webhook', id: /^wh_/ }, event: { type: 'redemption.succeeded' }, data: { customer: { object: 'customer' } } })
  const distribution = samples({ types: ['redemption.succeeded'], kind: 'distribution' })
  t.match(read(distribution.webhook(0, happenedAt).body), { source: { object: 'distribution', id: /^distr_/ } })
  const names = new Set(Array.from({ length: 40 }, (_, index) => read(distribution.webhook(index, happenedAt).body).type))
  t.ok(names.has('') && names.size > 2, 'a distribution\'s name is free text')
})

t.test('bodies can be raw, wrong or unsigned, and have additional headers', async t => {
  const schema = findEvent('customer.loyalty.tier.upgraded')?.bodySchema
  if (schema === undefined) throw new Error('no such event')
  const raw = samples({ raw: true }).webhook(1, happenedAt)
  t.strictSame(compileValidator(schema)(read(raw.body)), [])
  const invalid = samples({ raw: true, invalid: true }).webhook(1, happenedAt)
  t.not(compileValidator(schema)(read(invalid.body)).length, 0)
  const { headers } = samples({ seal: { secret: undefined, headers: { 'content-type': 'text/plain', 'x-team': 'loyalty' } } }).webhook(0, happenedAt)
  t.strictSame(headers, { 'content-type': 'text/plain', 'x-team': 'loyalty' })
})

t.test('a custom body is sent compact and signed, with its digits unchanged, or unchanged with the same signature', async t => {
  const bytes = Buffer.from('{\n  "event": {"id": "ev_own", "type": "a.b"},\n  "data": {"n": 1.0}\n}\n')
  const compact = '{"event":{"id":"ev_own","type":"a.b"},"data":{"n":1.0}}'
  const options = { bytes, urlOf: () => new URL('http://receiver.example/'), seal: { secret, headers: {} } }
  const generator = createBodyGenerator({ ...options, asIs: false })
  t.equal(Buffer.from(generator.webhook(0, 0).body).toString(), compact)
  t.equal(generator.webhook(9, 9).headers['x-voucherify-signature'], sign(Buffer.from(compact), secret))
  t.equal(generator.bodyId, 'ev_own')
  const asIs = createBodyGenerator({ ...options, asIs: true }).webhook(0, 0)
  t.strictSame(asIs.body, bytes)
  t.equal(asIs.headers['x-voucherify-signature'], sign(Buffer.from(compact), secret))
  const broken = createBodyGenerator({ ...options, bytes: Buffer.from('{ not JSON'), asIs: false })
  t.equal(Buffer.from(broken.webhook(0, 0).body).toString(), '{ not JSON')
  t.equal(broken.bodyId, undefined)
  for (const asIs of [false, true]) {
    const plain = createBodyGenerator({ ...options, bytes: Buffer.from('  message  '), asIs }).webhook(0, 0)
    t.equal(Buffer.from(plain.body).toString(), '  message  ')
    t.equal(plain.headers['x-voucherify-signature'], sign(Buffer.from('  message  '), secret), 'a body that is not JSON is signed unchanged')
  }
})
