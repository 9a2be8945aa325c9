import { HTTP, type CloudEventV1 } from 'cloudevents'
import t from 'tap'
import type { Delivery } from '../../../src/delivery/delivery.js'
import type { Format } from '../../../src/forwarders/http/content.js'
import { attempt, attemptAt, forwarderTo } from './support/forwarder.js'
import { httpDestination, type Received, type Teardown } from './support/servers.js'

async function send (t: Teardown, format: Format, delivery: Partial<Delivery> = {}): Promise<Received> {
  const destination = await httpDestination(t)
  await attempt(forwarderTo(t, destination.url, { format }), attemptAt(delivery))
  const [received] = destination.received
  if (received === undefined) throw new Error('nothing was received')
  return received
}

function parse ({ headers, body }: Received): CloudEventV1<unknown> {
  const event = HTTP.toEvent({ headers, body: body.toString() })
  if (Array.isArray(event)) throw new Error('more than one event')
  return event
}

const text = '{"customer": {"id": "cust_1"}, "created_at": "2026-01-30T12:00:00+02:00", "n": [1.0, 9007199254740993, 1e2], "n": "\\u00e9"}'
const compact = '{"customer":{"id":"cust_1"},"created_at":"2026-01-30T12:00:00+02:00","n":[1.0,9007199254740993,1e2],"n":"\\u00e9"}'
const envelope = Buffer.from(`{"id":"whs_1", "data": ${text}, "event": {"id": "ev_1", "type": "customer.loyalty.tier.joined"}}\n`)

for (const format of ['cloudevents-structured', 'cloudevents-binary'] as const) {
  t.test(`the reference SDK reads ${format}`, async (t) => {
    const received = await send(t, format, {
      id: '018f0000-0000-7000-8000-000000000001', eventType: 'customer.loyalty.tier.joined', customerId: 'cust_1', rawBody: envelope, projectId: 'proj_1', sourceId: 'distr_1'
    })
    const event = parse(received)
    t.match(event, {
      specversion: '1.0',
      id: '018f0000-0000-7000-8000-000000000001',
      source: '//voucherify.io/proj_1/distr_1',
      type: 'io.voucherify.customer.loyalty.tier.joined',
      subject: 'cust_1',
      time: '2026-01-30T10:00:00.000Z',
      datacontenttype: 'application/json',
      verdict: 'valid'
    })
    t.strictSame(event.data, JSON.parse(text))
    t.ok(received.body.includes(compact), 'the event keeps the digits of its numbers')
    t.notOk('x-voucherify-signature' in received.headers)
    t.equal(received.headers['webhook-id'], event.id)
  })

  t.test(`${format} leaves out unknown values`, async (t) => {
    const bare = { sourceId: null, projectId: null, customerId: null, rawBody: Buffer.from(text) }
    t.match(parse(await send(t, format, { ...bare, campaignId: 'camp_1' })), { source: '//voucherify.io', subject: 'camp_1', data: JSON.parse(text) })
    const unnamed = parse(await send(t, format, { ...bare, campaignId: null, receivedAt: 1_769_817_600_000, rawBody: Buffer.from('{"created_at":"2026-99-99T00:00:00Z"}') }))
    t.notOk('subject' in unnamed && unnamed.subject !== undefined)
    t.equal(unnamed.time, '2026-01-31T00:00:00.000Z')
    const timeless = parse(await send(t, format, { receivedAt: 1_769_817_600_000, rawBody: Buffer.from('{"created_at":1}') }))
    t.equal(timeless.time, '2026-01-31T00:00:00.000Z')
    for (const [said, time] of [['9999-12-31T23:59:59-12:00', '2026-01-31T00:00:00.000Z'], ['0000-01-01T00:00:00+12:00', '2026-01-31T00:00:00.000Z'], ['9999-12-31T23:59:59Z', '9999-12-31T23:59:59.000Z']]) {
      t.equal(parse(await send(t, format, { receivedAt: 1_769_817_600_000, rawBody: Buffer.from(JSON.stringify({ created_at: said })) })).time, time)
    }
  })
}

t.test('structured mode is CloudEvents JSON, and binary mode the event alone', async (t) => {
  const structured = await send(t, 'cloudevents-structured', { rawBody: envelope })
  t.equal(structured.headers['content-type'], 'application/cloudevents+json')
  t.notOk(Object.keys(structured.headers).some((name) => name.startsWith('ce-')))
  const binary = await send(t, 'cloudevents-binary', { rawBody: envelope, customerId: 'Zoë "Z" 100%' })
  t.equal(binary.headers['content-type'], 'application/json')
  t.equal(binary.headers['ce-subject'], 'Zo%C3%AB%20%22Z%22%20100%25')
  t.equal(binary.body.toString(), compact)
})

t.test('ids with characters that a URI cannot hold are encoded, and once more in a header', async (t) => {
  const ids = { projectId: 'a/b c', sourceId: 'ü' }
  t.match(parse(await send(t, 'cloudevents-structured', ids)), { source: '//voucherify.io/a%2Fb%20c/%C3%BC' })
  const { headers } = await send(t, 'cloudevents-binary', ids)
  t.equal(decodeURIComponent(String(headers['ce-source'])), '//voucherify.io/a%2Fb%20c/%C3%BC')
})

t.test('a body that is not a JSON object is passed on as bytes', async (t) => {
  const rawBody = Buffer.from([0xFF, 0x00, 0x7B])
  const headers = { 'content-type': 'application/octet-stream' }
  const structured: unknown = JSON.parse((await send(t, 'cloudevents-structured', { rawBody, headers })).body.toString())
  t.match(structured, { datacontenttype: 'application/octet-stream', data_base64: rawBody.toString('base64') })
  const binary = await send(t, 'cloudevents-binary', { rawBody, headers })
  t.equal(binary.headers['content-type'], 'application/octet-stream')
  t.ok(binary.body.equals(rawBody))
})
