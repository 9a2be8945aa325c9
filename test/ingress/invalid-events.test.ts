import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { UNKNOWN_EVENT_TYPE } from '../../src/voucherify/judge.js'
import { sampleEvent } from '../../src/voucherify/samples.js'
import { buildApp } from '../support/build-app.js'
import { buildService, SECRET, signed } from '../support/build-service.js'
import { createDrift } from '../../src/sender-watch/drift.js'
import { envelopeAround } from '../support/envelope-around.js'
import { eventually } from '../support/eventually.js'
import { httpDestination } from '../forwarders/http/support/servers.js'

const LEFT = 'customer.loyalty.tier.left'
const body = { ...sampleEvent(LEFT, { index: 0, now: new Date() }), loyalty_tier: null }
const fault = { pointer: '/data/loyalty_tier', message: 'must be an object' }

t.test('INVALID_EVENTS=forward: an event that cannot be understood goes to every forwarder, with its verdict', async t => {
  const [asReceived, structured, binary] = [await httpDestination(t), await httpDestination(t), await httpDestination(t)]
  const folder = t.testdir({
    'forwarders.json': JSON.stringify([
      { name: 'log', type: 'log' },
      { name: 'file', type: 'file', path: 'events.ndjson' },
      { name: 'http', type: 'http', url: asReceived.url },
      { name: 'structured', type: 'http', url: structured.url, format: 'cloudevents-structured' },
      { name: 'binary', type: 'http', url: binary.url, format: 'cloudevents-binary' },
      { name: 'valid-only', type: 'file', path: 'valid.ndjson', verdicts: ['valid'] }
    ])
  })
  const service = await buildService(t, { ...signed, INVALID_EVENTS: 'forward', FORWARDERS_FILE: join(folder, 'forwarders.json') })
  const sent = envelopeAround(LEFT, body, 'forward')
  const answer = await service.post('/webhooks', sent)
  t.match(answer, { status: 202, body: { verdict: 'invalid' } })
  const { id } = answer.body
  t.match(service.log.find('webhook accepted'), [{ deliveryId: id, verdict: 'invalid', quarantined: false }])
  t.match(service.log.find('webhook invalid'), [{ level: 40, deliveryId: id, eventType: LEFT, faults: [fault] }])
  t.strictSame(service.log.find('webhook quarantined'), [])

  t.match(await service.forwarded.find(({ deliveryId }) => deliveryId === id), { msg: LEFT, verdict: 'invalid' })
  const received = await Promise.all([asReceived, structured, binary].map(async destination => await eventually(() => destination.received[0], 'the event at the destination')))
  for (const each of received) t.match(each.headers, { 'webhook-id': id, 'tierhook-event-type': LEFT, 'tierhook-verdict': 'invalid' })
  t.equal(received[0]?.body.toString(), JSON.stringify(sent))
  t.match(JSON.parse(received[1]?.body.toString() ?? ''), { id, verdict: 'invalid', data: body })
  t.match(received[2]?.headers, { 'ce-id': id, 'ce-verdict': 'invalid' })
  const linesOf = (name: string) => existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1).map(line => JSON.parse(line)) : []
  t.match(await eventually(() => linesOf('events.ndjson')[0], 'the event in the file'), { id, verdict: 'invalid', body })

  t.match(await service.post('/webhooks', sent), { status: 200, body: { id, verdict: 'invalid', duplicate: true } })
  t.equal(service.log.find('webhook invalid').length, 1, 'a duplicate is not logged again')
  const valid = await service.post('/webhooks', envelopeAround(LEFT, sampleEvent(LEFT, { index: 1, now: new Date() }), 'valid'))
  t.match(await eventually(() => linesOf('valid.ndjson')[0], 'the valid event in the file'), { id: valid.body.id }, 'a filter by verdict forwards only valid events')
})

t.test('INVALID_EVENTS=forward: a body that is not JSON is forwarded as its bytes', async t => {
  const service = await buildService(t, { ...signed, INVALID_EVENTS: 'forward', FORWARDERS: 'log,file' })
  for (const [index, text] of ['no json', '[1]', '"text"'].entries()) {
    const answer = await service.post('/webhooks', text)
    t.match(answer, { status: 202, body: { verdict: 'invalid' } })
    t.match(await service.forwarded.find(({ deliveryId }) => deliveryId === answer.body.id), { msg: UNKNOWN_EVENT_TYPE, verdict: 'invalid' })
    const line = JSON.parse((await service.fileLines(index + 1))[index] ?? '')
    t.equal(Buffer.from(line.body, 'base64').toString(), text)
    t.match(line, { id: answer.body.id, verdict: 'invalid' })
  }
})

t.test('INVALID_EVENTS=forward: unsigned bodies are still refused', async t => {
  const unsigned = await buildService(t, { INVALID_EVENTS: 'forward' })
  t.match(await unsigned.post('/webhooks', envelopeAround(LEFT, body)), { status: 422, body: { errors: [fault] } })
  const service = await buildService(t, { ...signed, INVALID_EVENTS: 'forward' })
  t.equal((await service.post('/webhooks', envelopeAround(LEFT, body), { secret: 'another' })).status, 401)
})

/** A webhook of version v2018-08-01, with other keys around its data, and no event. */
const old = {
  id: 'evnt_1', object: 'event', webhook_id: 'wh_1', project_id: 'proj_1', created_at: new Date().toISOString(), type: LEFT, data: body
}

t.test('a webhook of version v2018-08-01 is quarantined, and the log names the version and what to do', async t => {
  const service = await buildService(t, { ...signed, CUSTOM_WEBHOOKS: 'crm' })
  for (const path of ['/webhooks', `/webhooks/${LEFT}`, '/webhooks/custom/crm']) {
    const custom = path.includes('/custom/')
    const answer = await service.post(path, { ...old, id: path })
    t.match(answer, { status: 202, body: { verdict: custom ? 'unvalidated' : 'invalid' } }, path)
    t.match(service.log.find('webhook version too old').at(-1), { level: 40, deliveryId: answer.body.id, version: 'v2018-08-01', advice: /v2024-01-01/ }, path)
    if (custom) continue
    const faults = [{ pointer: '/event', message: /version v2018-08-01.*set the webhook version of the project to v2024-01-01/i }]
    t.match(service.log.find('webhook quarantined').at(-1), { deliveryId: answer.body.id, faults }, path)
  }
  t.equal((await service.post('/webhooks', { ...old, id: '/webhooks' })).status, 200)
  t.equal(service.log.find('webhook version too old').length, 3, 'a duplicate is not logged again')
})

t.test('a refused webhook of version v2018-08-01 is named in the log too', async t => {
  for (const environment of [{}, { ...signed, INVALID_EVENTS: 'reject' }]) {
    const service = await buildService(t, environment)
    const detail = /version v2018-08-01/
    t.match(await service.post('/webhooks', old), { status: 422, body: { detail, errors: [{ pointer: '/event', message: detail }] } })
    t.match(service.log.find('webhook refused'), [{ detail }])
  }
})

t.test('a body that only resembles a webhook of version v2018-08-01 is judged like any other', async t => {
  const service = await buildService(t, signed)
  const sent = envelopeAround(LEFT, sampleEvent(LEFT, { index: 3, now: new Date() }), 'resembles')
  for (const [index, extra] of [{ object: 'event' }, { object: 'event', webhook_id: 'wh_1' }, { webhook_id: 'wh_1' }].entries()) {
    t.match(await service.post('/webhooks', { ...sent, ...extra, event: { ...sent.event, id: `ev_resembles_${index}` } }), { status: 202, body: { verdict: 'valid' } })
  }
  t.strictSame(service.log.find('webhook version too old'), [])
})

t.test('for a body that is not an object, drift names the kind of its value', async t => {
  const drift = createDrift({ now: () => 1 })
  const app = await buildApp(t, { secrets: [SECRET], onAnswer (answer) { if (answer.outcome !== 'refused') drift.accepted(answer) } })
  for (const [index, sent] of ['[1]', '"text"', '5', 'null'].entries()) t.match(await app.post('/webhooks', sent), { status: 202 }, String(index))
  t.strictSame(new Set(drift.report().differences.map(({ expected, seen }) => `${expected}: ${seen}`)), new Set(['array', 'string', 'number', 'null'].map((seen) => `must be an object: ${seen}`)))
})
