import t from 'tap'
import { latch } from '../support/latch.js'
import type { NewDelivery } from '../../src/delivery/delivery.js'
import { sampleEnvelope, sampleEvent } from '../../src/voucherify/samples.js'
import { buildApp } from '../support/build-app.js'
import { sign } from '../../src/voucherify/signature.js'
import { buildService, SECRET, signed } from '../support/build-service.js'
import { envelopeAround } from '../support/envelope-around.js'
import { storedAsJsonb } from '../voucherify/support/stored-as-jsonb.js'

const LEFT = 'customer.loyalty.tier.left'
const now = new Date()

const custom = { CUSTOM_WEBHOOKS: 'crm,erp' }
const service = await buildService(t, { ...signed, ...custom })

t.test('INVALID_EVENTS=reject answers a signed event 422 with its faults', async t => {
  const rejecting = await buildService(t, { ...signed, INVALID_EVENTS: 'reject' })
  t.match(await rejecting.post('/webhooks', envelopeAround(LEFT, { customer: [], created_at: 5 })), {
    status: 422, body: { code: 'EVENT_INVALID', errors: [{ pointer: '/data/loyalty_tier' }, { pointer: '/data/customer' }, { pointer: '/data/created_at' }] }
  })
  t.match(await rejecting.post('/webhooks', 'no json'), { status: 422, body: { code: 'EVENT_INVALID', errors: [{ pointer: '', message: /not JSON/ }] } })
  t.match(await rejecting.post('/webhooks', '"text"'), { status: 422, body: { errors: [{ pointer: '', message: 'must be an object' }] } })
  t.equal((await rejecting.post('/webhooks', sampleEnvelope(LEFT, { index: 0, now }))).status, 202, 'a valid event is accepted')
  t.equal((await rejecting.post('/webhooks', envelopeAround('some.event', {}))).status, 202, 'an event type without a schema is accepted')
})

t.test('UNVALIDATED_EVENTS=reject answers 422', async t => {
  const rejecting = await buildService(t, { ...signed, ...custom, UNVALIDATED_EVENTS: 'reject' })
  for (const [path, body] of [['/webhooks', envelopeAround('some.event', {})], ['/webhooks/custom/crm', {}]] as const) {
    t.match(await rejecting.post(path, body), { status: 422, body: { code: 'EVENT_UNVALIDATED', errors: { length: 0 } } })
  }
  t.equal((await rejecting.post('/webhooks', sampleEnvelope(LEFT, { index: 0, now }))).status, 202, 'a valid event is accepted')
})

t.test('UNVALIDATED_EVENTS=quarantine accepts and quarantines', async t => {
  const holding = await buildService(t, { ...signed, UNVALIDATED_EVENTS: 'quarantine' })
  const held = await holding.post('/webhooks', envelopeAround('some.event', {}))
  t.match(held, { status: 202, body: { verdict: 'unvalidated' } })
  const valid = await holding.post('/webhooks', sampleEnvelope(LEFT, { index: 0, now }))
  await holding.forwarded.find(({ deliveryId }) => deliveryId === valid.body.id)
  t.strictSame(holding.forwarded.lines.map(({ deliveryId }) => deliveryId), [valid.body.id])
  t.match(holding.log.find('webhook accepted')[0], { deliveryId: held.body.id, quarantined: true, verdict: 'unvalidated' })
})

t.test('the same event from the same source is one delivery, whatever else is different', async t => {
  const body = sampleEnvelope(LEFT, { index: 1, now })
  const first = await service.post('/webhooks', body)
  t.equal(first.status, 202)
  for (const copy of [body, { ...body, id: 'whs_another' }, { ...body, created_at: new Date(now.getTime() + 1000).toISOString() }]) {
    const answer = await service.post('/webhooks', copy)
    t.equal(answer.status, 200)
    t.strictSame(answer.body, { message: 'Webhook accepted', id: first.body.id, verdict: 'valid', duplicate: true })
  }
  t.equal((await service.post(`/webhooks/${LEFT}`, body)).status, 200, 'the same body is a duplicate at another URL too')
})

t.test('a duplicate has the verdict of the first delivery, and the log says that it is one', async t => {
  const body = envelopeAround(LEFT, {}, 'verdict')
  const first = await service.post('/webhooks', body)
  const second = await service.post('/webhooks', { ...body, data: sampleEvent(LEFT, { index: 0, now }) })
  t.match(second, { status: 200, body: { id: first.body.id, verdict: 'invalid' } })
  t.match(service.log.find('webhook accepted').at(-1), { deliveryId: first.body.id, duplicate: true })
  t.equal(service.log.find('webhook quarantined').filter(({ deliveryId }) => deliveryId === first.body.id).length, 1)
})

t.test('the same event from two sources is two deliveries', async t => {
  const body = envelopeAround('some.event', {}, 'two sources')
  const ids = new Set<unknown>()
  for (const id of ['distr_1', 'distr_2']) {
    const answer = await service.post('/webhooks', { ...body, source: { ...body.source, id } })
    t.equal(answer.status, 202)
    ids.add(answer.body.id)
  }
  t.equal(ids.size, 2)
})

t.test('if source or event has no id, the send-out\'s id identifies duplicates', async t => {
  const { source, event, ...rest } = envelopeAround('some.event', {}, 'send-out')
  const { id, ...nameless } = event
  t.equal((await service.post('/webhooks', { ...rest, event })).status, 202)
  t.equal((await service.post('/webhooks', { ...rest, source, event: nameless })).status, 200)
  t.equal((await service.post('/webhooks', { ...rest, event, id: 'whs_other' })).status, 202, `${id} alone does not identify a duplicate`)
})

t.test('a custom body that looks like half an envelope is not an envelope: its id and time belong to a customer', async t => {
  for (const body of [{ event: 'upgrade' }, { data: {} }, { event: 'upgrade', data: {} }, { event: { name: 'upgrade' } }]) {
    const ids = new Set<unknown>()
    for (const points of [100, 200]) {
      const answer = await service.post('/webhooks/custom/crm', { ...body, id: 'cust_1', created_at: '2020-01-01T00:00:00Z', points })
      t.match(answer, { status: 202, body: { verdict: 'unvalidated' } }, JSON.stringify(body))
      t.match(service.log.find('webhook accepted').at(-1), { deliveryId: answer.body.id, quarantined: false, eventType: 'custom.crm' })
      ids.add(answer.body.id)
    }
    t.equal(ids.size, 2)
  }
})

t.test('if there is no id, equal content identifies duplicates of a body with its own time', async t => {
  const dated = JSON.stringify(sampleEvent(LEFT, { index: 0, now, seed: 'content' }))
  const first = await service.post(`/webhooks/${LEFT}`, dated)
  t.equal(first.status, 202)
  t.match(await service.post(`/webhooks/EVENTS.${LEFT.toUpperCase()}`, dated), { status: 200, body: { id: first.body.id } })
  t.equal((await service.post(`/webhooks/${LEFT}`, dated.replace(/^\{/, '{"other":" ",'))).status, 202, 'different content is another event')
  t.equal((await service.post(`/webhooks/${LEFT}`, dated.replace(/^\{/, '{"n":1.0,'))).status, 202)
  t.equal((await service.post(`/webhooks/${LEFT}`, dated.replace(/^\{/, '{"n":1,'))).status, 202, 'numbers are compared as they are written')
})

t.test('a bare body with its keys in the order of jsonb is a duplicate: the sender\'s database has sorted them', async t => {
  for (const type of [LEFT, 'customer.loyalty.tier.upgraded'] as const) {
    const event = sampleEvent(type, { index: 1, now, seed: 'jsonb' })
    const stored = storedAsJsonb(event)
    t.not(stored, JSON.stringify(event))
    const first = await service.post(`/webhooks/${type}`, event)
    t.equal(first.status, 202)
    t.match(await service.post(`/webhooks/${type}`, stored), { status: 200, body: { id: first.body.id, duplicate: true } })
  }
})

t.test('the same signed content is one event at its own URL, at another event\'s, at a custom URL and in quarantine', async t => {
  const paths = [`/webhooks/${LEFT}`, '/webhooks/customer.loyalty.tier.joined', '/webhooks/customer.loyalty.tier.upgraded', '/webhooks/custom/crm', '/webhooks']
  for (const [index, first] of paths.entries()) {
    const body = sampleEvent(LEFT, { index, now, seed: 'URLs' })
    const stored = await service.post(first, body)
    t.match(stored, { status: 202 }, first)
    for (const path of paths) t.match(await service.post(path, body), { status: 200, body: { id: stored.body.id, duplicate: true } }, `${path} after ${first}`)
  }
})

t.test('white space added to a captured body makes no new event, because the signature does not cover it', async t => {
  const captured = JSON.stringify(sampleEvent(LEFT, { index: 0, now, seed: 'captured' }))
  const first = await service.post(`/webhooks/${LEFT}`, captured)
  t.equal(first.status, 202)
  const signature = sign(Buffer.from(captured), SECRET)
  for (const text of [`${captured} `, JSON.stringify(JSON.parse(captured), null, 2), captured.replaceAll(',"', ',\r\n\t"')]) {
    const answer = await service.post(`/webhooks/${LEFT}`, text, { headers: { 'x-voucherify-signature': signature } })
    t.match(answer, { status: 200, body: { id: first.body.id, duplicate: true } })
  }
})

t.test('a body with neither an id nor a time may come twice', async t => {
  for (const body of ['{"points":3}', '{"created_at":null}', '{"created_at":""}']) {
    const answers = [await service.post('/webhooks/custom/crm', body), await service.post('/webhooks/custom/crm', body)]
    t.strictSame(answers.map(({ status }) => status), [202, 202], body)
    t.not(answers[0]?.body.id, answers[1]?.body.id)
  }
})

t.test('DEDUPE_UNIDENTIFIED_SECONDS makes equal content without an id and a time a duplicate for that long', async t => {
  const stored: NewDelivery[] = []
  const app = await buildApp(t, {
    secrets: [SECRET],
    dedupeUnidentifiedMs: 3000,
    customWebhooks: ['crm', 'erp'],
    append: async (delivery) => {
      stored.push(delivery)
      return { status: 'stored', id: delivery.id, verdict: delivery.verdict }
    }
  })
  await app.post('/webhooks/custom/crm', '{"points":3,"of":1}')
  await app.post('/webhooks/custom/erp', '{"of":1, "points":3}')
  await app.post('/webhooks/custom/crm', { points: 3, created_at: '2026-02-03T04:05:06Z' })
  await app.post('/webhooks', 'no json')
  t.strictSame(stored.map(({ dedupeWithinMs }) => dedupeWithinMs), [3000, 3000, undefined, undefined])
  t.equal(stored[0]?.dedupeKey, stored[1]?.dedupeKey)
  const counting = await buildService(t, { ...signed, ...custom, DEDUPE_UNIDENTIFIED_SECONDS: '60' })
  t.strictSame([await counting.post('/webhooks/custom/crm', '{"points":3}'), await counting.post('/webhooks/custom/crm', '{ "points":3}')].map(({ status }) => status), [202, 200])
})

t.test('an event that cannot be understood is stored once, by its content', async t => {
  for (const body of ['[]', ' [ ]', 'no json', '', '"text"', '{"points":4}', '{ "points":4}']) {
    const answers = [await service.post('/webhooks', body), await service.post('/webhooks', body)]
    t.strictSame(answers.map(({ status }) => status), [body.startsWith(' ') || body.startsWith('{ ') ? 200 : 202, 200], JSON.stringify(body))
    t.equal(answers[0]?.body.id, answers[1]?.body.id)
  }
  t.equal((await service.post('/webhooks/custom/crm', '{"points":4}')).status, 202, 'a custom webhook takes any body, so the same body is a new event there')
})

t.test('an id that is not a text, or is too long, counts as absent', async t => {
  const body = envelopeAround('some.event', {}, 'odd ids')
  for (const id of [7, null, '', 'e'.repeat(257), ['ev_1']]) {
    const odd = { ...body, id: `whs_${JSON.stringify(id).length}`, event: { ...body.event, id } }
    t.equal((await service.post('/webhooks', odd)).status, 202)
    t.equal((await service.post('/webhooks', { ...odd, source: { id: 'distr_other' } })).status, 200)
  }
})

t.test('two copies at once on two connections are one delivery, answered 202 and 200', async t => {
  for (let index = 0; index < 20; index++) {
    const body = envelopeAround('some.event', {}, `at once ${index}`)
    const answers = await Promise.all([service.post('/webhooks', body), service.post('/webhooks', body), service.post('/webhooks', body)])
    t.strictSame(answers.map(({ status }) => status).sort(), [200, 200, 202])
    t.equal(new Set(answers.map(({ body: { id } }) => id)).size, 1)
  }
})

t.test('no answer is sent before the journal has the delivery', async t => {
  const stored = latch()
  const asked = latch()
  const app = await buildApp(t, {
    append: async ({ id, verdict }) => {
      asked.open()
      await stored.opened
      return { status: 'stored', id, verdict }
    }
  })
  let answered = false
  const answer = app.post('/webhooks', envelopeAround('some.event', {})).finally(() => { answered = true })
  await asked.opened
  t.equal((await app.get('/health/live')).status, 200, 'other requests are answered in the meantime')
  t.notOk(answered)
  stored.open()
  t.equal((await answer).status, 202)
})

t.test('a delivery is stored with the bytes as received, the values read from them, and the headers that are needed later', async t => {
  const stored: unknown[] = []
  const app = await buildApp(t, {
    secrets: ['s3cret'],
    append: async (delivery) => {
      stored.push(delivery)
      return { status: 'stored', id: delivery.id, verdict: delivery.verdict }
    }
  })
  const body = { ...envelopeAround(LEFT, sampleEvent(LEFT, { index: 0, now })) }
  const text = JSON.stringify(body, null, 1)
  await app.post('/webhooks', text, { headers: { traceparent: '00-1-2-01', cookie: 'c', authorization: 'a', 'user-agent': 'Sender/1' } })
  t.match(stored, [{
    eventType: LEFT,
    verdict: 'valid',
    faults: { length: 0 },
    quarantined: false,
    dedupeKey: 'event:["distr_tea","ev_1"]',
    sourceObject: 'distribution',
    sourceId: 'distr_tea',
    eventId: 'ev_1',
    projectId: 'proj_tea',
    customerId: /^cust_/,
    campaignId: /^camp_/,
    rawBody: Buffer.from(text)
  }])
  t.strictSame(Object.keys(Object(stored[0]).headers).sort(), ['content-type', 'traceparent', 'user-agent', 'x-voucherify-signature'])
  await app.post('/webhooks', 'no json')
  t.match(stored[1], { eventType: 'unknown', sourceObject: null, sourceId: null, eventId: null, projectId: null, customerId: null, campaignId: null, dedupeKey: /^content:/, quarantined: true })
})

t.test('the log line of an accepted webhook has the id of its trace, if the webhook has a valid one', async (t) => {
  const service = await buildService(t)
  const event = (number: number) => ({ data: {}, event: { id: `ev_${number}`, type: 'some.event' }, source: { id: 'wh_1' } })
  await service.post('/webhooks', event(1), { headers: { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' } })
  await service.post('/webhooks', event(2), { headers: { traceparent: '00-nonsense-01' } })
  const [first, second] = service.log.find('webhook accepted')
  t.match(first, { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', reqId: String })
  t.notOk('traceId' in (second ?? {}))
})
