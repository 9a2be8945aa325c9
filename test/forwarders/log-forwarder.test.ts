import t from 'tap'
import { createLogForwarder } from '../../src/forwarders/log-forwarder.js'
import { sampleEnvelope } from '../../src/voucherify/samples.js'
import { buildService, signed } from '../support/build-service.js'
import { captureLines } from '../support/capture-lines.js'
import { latch } from '../support/latch.js'
import { sampleDelivery } from '../support/sample-delivery.js'

const UPGRADED = 'customer.loyalty.tier.upgraded'
const envelope = sampleEnvelope(UPGRADED, { index: 0, now: new Date() })
const { customer, loyalty_tier_from: from, loyalty_tier_to: to } = envelope.data
const data = { ...envelope.data, customer: { ...customer, name: 'Zoë Canary', email: 'zoe@canary.example', metadata: { canary: 1 } } }
const personal = /canary/i

t.test('an accepted event is one flat line whose message is the event type, without personal data', async t => {
  const service = await buildService(t, signed)
  const answer = await service.post('/webhooks', { ...envelope, data })
  const line = await service.forwarded.find(({ msg }) => msg === UPGRADED)
  t.match(line, {
    level: 30,
    time: /^\d{4}-\d\d-\d\dT.*Z$/,
    msg: UPGRADED,
    eventType: UPGRADED,
    deliveryId: answer.body.id,
    verdict: 'valid',
    receivedAt: /Z$/,
    occurredAt: envelope.event.created_at,
    eventId: envelope.event.id,
    sourceId: envelope.source?.id,
    projectId: envelope.project_id,
    customerId: customer?.id,
    campaignId: envelope.data.campaign?.id,
    tierFromId: from?.id,
    tierFromName: from?.name,
    tierFromPointsFrom: from?.points?.from,
    tierFromPointsTo: from?.points?.to,
    tierToId: to?.id,
    tierToName: to?.name,
    tierToPointsFrom: to?.points?.from,
    tierToPointsTo: to?.points?.to,
    duplicates: 0
  })
  t.ok(Object.values(line).every((value) => typeof value !== 'object'), 'the line has no nested objects')
  t.notMatch(JSON.stringify(line), personal)
  t.notMatch(JSON.stringify(service.log.lines), personal, 'the service\'s own log has no personal data either')
  t.equal(service.forwarded.lines.length, 1)
})

t.test('LOG_FORWARDER_DATA=true adds the event\'s body', async t => {
  const service = await buildService(t, { ...signed, LOG_FORWARDER_DATA: 'true' })
  await service.post('/webhooks', { ...envelope, data })
  const line = await service.forwarded.find(({ msg }) => msg === UPGRADED)
  t.strictSame(line['data'], JSON.parse(JSON.stringify(data)))
})

t.test('a batch is forwarded after all its lines have left, and a replay is marked', async t => {
  const lines = captureLines()
  const left = latch()
  const forwarder = createLogForwarder({ name: 'log', withData: false, output: { write: lines.write, flushed: async () => { await left.opened } } })
  const attempts = [false, true].map((replay, index) => ({ delivery: sampleDelivery({ index }), number: 1, replay }))
  let done = false
  const forwarding = forwarder.forward(attempts, { signal: new AbortController().signal }).finally(() => { done = true })
  t.strictSame(lines.lines.map(({ eventId, replay }) => [eventId, replay]), [['ev_0', undefined], ['ev_1', true]])
  await Promise.resolve()
  t.notOk(done)
  left.open()
  t.strictSame((await forwarding).outcomes, [{ status: 'forwarded' }, { status: 'forwarded' }])
})

t.test('lines that cannot leave are a failed attempt', async t => {
  const forwarder = createLogForwarder({ name: 'log', withData: false, output: { write () {}, flushed: async () => { throw new Error('nobody reads') } } })
  const attempts = [{ delivery: sampleDelivery(), number: 1, replay: false }]
  await t.rejects(forwarder.forward(attempts, { signal: new AbortController().signal }), { message: 'nobody reads' })
})

t.test('values at the paths in LOG_REDACT are hidden', async t => {
  const service = await buildService(t, { ...signed, LOG_FORWARDER_DATA: 'true', LOG_REDACT: 'customerId,data.customer.email' })
  await service.post('/webhooks', { ...envelope, data })
  const line = await service.forwarded.find(({ msg }) => msg === UPGRADED)
  t.match(line, { customerId: '[Redacted]', data: { customer: { email: '[Redacted]', name: 'Zoë Canary' } } })
})
