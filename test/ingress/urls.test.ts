import t from 'tap'
import { catalogue } from '../../src/voucherify/catalogue.js'
import { sampleEnvelope, sampleEvent } from '../../src/voucherify/samples.js'
import { documented, documentedBody, documentedBytes } from '../voucherify/support/fixtures.js'
import { buildService, signed } from '../support/build-service.js'
import { envelopeAround } from '../support/envelope-around.js'

const now = new Date()
const JOINED = 'customer.loyalty.tier.joined'
const LEFT = 'customer.loyalty.tier.left'

const LONGEST = 'n'.repeat(100)
const custom = { CUSTOM_WEBHOOKS: `a, Crm-Sync_2.x,${LONGEST},crm,odd,marked,__proto__` }
const proven = await buildService(t, { ...signed, ...custom, FORWARDERS: 'log,file' })
const unproven = await buildService(t, custom)
const both = Object.entries({ signed: proven, unsigned: unproven })

function namesOf (type: string): string[] {
  const documentation = `EVENTS.${type.toUpperCase()}`
  return [type, documentation, type.toUpperCase(), documentation.toLowerCase(), `${documentation}/`]
}

for (const [kind, service] of both) {
  t.test(`${kind}: each event is accepted at its URL, by each of its names in any case, with its envelope and bare`, async t => {
    for (const [place, event] of catalogue.entries()) {
      for (const [index, name] of namesOf(event.type).entries()) {
        const options = { index: place * 10 + index, now, seed: name }
        const enveloped = await service.post(`/webhooks/${name}`, sampleEnvelope(event.type, options))
        t.match(enveloped, { status: 202, body: { verdict: 'valid' } }, `${name}, in an envelope`)
        const bare = await service.post(`/webhooks/${name}`, sampleEvent(event.type, options))
        t.match(bare, { status: 202, body: { verdict: 'valid' } }, `${name}, bare`)
        t.match(service.log.find('webhook accepted').at(-1), { deliveryId: bare.body.id, eventType: event.type })
      }
    }
    t.strictSame(service.log.find('webhook contradicts its url'), [])
  })

  t.test(`${kind}: the documented bodies are accepted with an envelope and bare`, async t => {
    for (const type of documented) {
      const enveloped = envelopeAround(type, documentedBody(type), `${kind}-${type}`)
      t.match(await service.post('/webhooks', enveloped), { status: 202, body: { verdict: 'valid' } })
      t.match(await service.post(`/webhooks/${type}`, { ...enveloped, id: 'again' }), { status: 200, body: { duplicate: true } })
      t.match(await service.post(`/webhooks/${type}`, documentedBytes(type)), { status: 202, body: { verdict: 'valid' } })
    }
  })

  t.test(`${kind}: an unknown event type is accepted unvalidated at /webhooks, and forwarded`, async t => {
    const answer = await service.post('/webhooks', envelopeAround('redemption.succeeded', { points: 3 }, `${kind}-redemption`))
    t.match(answer, { status: 202, body: { verdict: 'unvalidated' } })
    const line = await service.forwarded.find(({ deliveryId }) => deliveryId === answer.body.id)
    t.match(line, { msg: 'redemption.succeeded', eventType: 'redemption.succeeded', verdict: 'unvalidated' })
  })

  t.test(`${kind}: a custom body is accepted at a custom URL`, async t => {
    for (const [path, name] of [['a', 'a'], ['%61', 'a'], ['crm-sync_2.X', 'Crm-Sync_2.x'], [LONGEST, LONGEST], ['__proto__', '__proto__']] as const) {
      const answer = await service.post(`/webhooks/custom/${path}`, { what: 'ever' })
      t.match(answer, { status: 202, body: { verdict: 'unvalidated' } })
      t.match(service.log.find('webhook accepted').at(-1), { deliveryId: answer.body.id, eventType: `custom.${name}` })
    }
    const enveloped = await service.post('/webhooks/custom/crm', { ...envelopeAround(JOINED, { who: 'cust_1' }, `${kind}-custom`) })
    t.match(enveloped, { status: 202, body: { verdict: 'unvalidated' } })
    t.match(service.log.find('webhook accepted').at(-1), { eventType: JOINED }, 'the type in the envelope wins over the URL')
  })

  t.test(`${kind}: a custom name that is not configured is answered 404`, async t => {
    for (const name of ['', 'another', 'constructor', 'aa', 'crm.', 'n'.repeat(101), 'a%0Ab', 'a%20b', 'a%2Fb', '%00', 'a/b', 'a%7Fb', 'a*', 'a%C3%A9', 'a;b', 'a:b']) {
      t.match(await service.post(`/webhooks/custom/${name}`, {}), { status: 404, body: { code: 'NOT_FOUND' } }, name)
    }
  })
}

t.test('without CUSTOM_WEBHOOKS no custom name is accepted, and the answer says what to set', async t => {
  const service = await buildService(t, signed)
  for (const [index, name] of ['another', 'customer.loyalty.tier.left', '__proto__'].entries()) {
    const answer = await service.post(`/webhooks/custom/${name}`, { index })
    t.match(answer, { status: 404, body: { code: 'NOT_FOUND', detail: /^CUSTOM_WEBHOOKS does not list the name in this path\. Add the name, such as CUSTOM_WEBHOOKS=crm/ } }, name)
    t.notMatch(answer.text, name)
  }
  t.strictSame(service.log.find('webhook accepted'), [])
})

t.test('RAW_PAYLOADS=refuse answers 422 to authentic bodies without an envelope, at every URL', async t => {
  const service = await buildService(t, { ...signed, ...custom, RAW_PAYLOADS: 'refuse' })
  const body = sampleEvent(LEFT, { index: 0, now, seed: 'refused' })
  for (const path of [`/webhooks/${LEFT}`, '/webhooks/custom/crm', '/webhooks']) {
    t.match(await service.post(path, body, { secret: 'another' }), { status: 401 }, path)
    t.match(await service.post(path, body), { status: 422, body: { code: 'RAW_PAYLOAD_REFUSED', detail: /RAW_PAYLOADS is refuse.*set RAW_PAYLOADS=accept/, errors: { length: 0 } } }, path)
  }
  t.strictSame(service.log.find('webhook accepted'), [])
  for (const [index, path] of [`/webhooks/${LEFT}`, '/webhooks/custom/crm', '/webhooks'].entries()) {
    t.match(await service.post(path, sampleEnvelope(LEFT, { index, now, seed: 'refused' })), { status: 202 }, path)
  }
  t.match(await service.post('/webhooks', 'no json'), { status: 202, body: { verdict: 'invalid' } }, 'a body that is not JSON is not taken for a raw payload')
})

t.test('an unknown path is answered 404, whatever it looks like', async t => {
  for (const path of ['/', '/webhook', '/webhooks/customer.loyalty', '/webhooks/customer.loyalty.tier.joined.x', '/webhooks//custom', '//webhooks', '/webhooks/__proto__', '/webhooks/constructor', '/health', '/.env']) {
    t.match(await unproven.post(path, {}), { status: 404, body: { code: 'NOT_FOUND' } }, path)
  }
})

t.test('a signed envelope wins over the URL, with a warning', async t => {
  const body = sampleEnvelope(LEFT, { index: 0, now, seed: 'contradiction' })
  const answer = await proven.post(`/webhooks/${JOINED}`, body)
  t.match(answer, { status: 202, body: { verdict: 'valid' } })
  t.match(proven.log.find('webhook contradicts its url'), [{ level: 40, deliveryId: answer.body.id, eventType: LEFT, url: `/webhooks/${JOINED}` }])
  t.match(await proven.forwarded.find(({ deliveryId }) => deliveryId === answer.body.id), { eventType: LEFT })
  const unknown = await proven.post(`/webhooks/${JOINED}`, envelopeAround('some.new.event', {}, 'contradiction'))
  t.match(unknown, { status: 202, body: { verdict: 'unvalidated' } })
  t.equal(proven.log.find('webhook contradicts its url').length, 2)
})

t.test('an unsigned envelope that contradicts the URL is refused', async t => {
  for (const type of [LEFT, 'some.new.event']) {
    const answer = await unproven.post(`/webhooks/${JOINED}`, envelopeAround(type, documentedBody(LEFT), 'contradiction'))
    t.match(answer, { status: 422, body: { code: 'EVENT_INVALID', errors: [{ pointer: '/event/type' }] } })
  }
})

t.test('a body without an envelope at /webhooks has no known event type', async t => {
  const body = documentedBytes(LEFT)
  const refused = await unproven.post('/webhooks', body)
  t.match(refused, { status: 422, body: { errors: [{ pointer: '/data', message: 'is required' }, { pointer: '/event', message: 'is required' }] } })
  const accepted = await proven.post('/webhooks', { ...Object(documentedBody(LEFT)), created_at: now })
  t.match(accepted, { status: 202, body: { verdict: 'invalid' } })
  t.match(proven.log.find('webhook quarantined').at(-1), { deliveryId: accepted.body.id, eventType: 'unknown' })
})

t.test('an envelope without an event type is quarantined at /webhooks and at an event\'s URL', async t => {
  const { event, ...rest } = envelopeAround(LEFT, documentedBody(LEFT), 'no event')
  const { type, ...typeless } = event
  for (const path of ['/webhooks', `/webhooks/${LEFT}`]) {
    t.match(await unproven.post(path, rest), { status: 422, body: { errors: [{ pointer: '/event' }] } }, 'the missing event is reported')
    for (const wrong of [typeless, { ...event, type: '' }, { ...event, type: 3 }, { ...event, type: 'a b' }, { ...event, type: 'é' }, { ...event, type: 't'.repeat(257) }]) {
      const answer = await unproven.post(path, { ...rest, event: wrong })
      t.match(answer, { status: 422, body: { errors: [{ pointer: '/event/type' }] } }, JSON.stringify(wrong).slice(-30))
    }
    const held = await proven.post(path, { ...rest, source: null, id: path })
    t.match(held, { status: 202, body: { verdict: 'invalid' } })
  }
})

t.test('the file has every number as it was sent', async t => {
  const odd = '{"n": [1.0, 1e2 ,-0, 9007199254740993,\t123456789012345678901234567890],\r\n "s": "\\u00e9 \\/ \\ud83d\\ude00 é", "data2":{"data":1}, "k":1,"k":2 }'
  const compact = '{"n":[1.0,1e2,-0,9007199254740993,123456789012345678901234567890],"s":"\\u00e9 \\/ \\ud83d\\ude00 é","data2":{"data":1},"k":1,"k":2}'
  const sent = new Map<unknown, string>()
  const bare = await proven.post('/webhooks/custom/odd', odd)
  sent.set(bare.body.id, compact)
  const enveloped = await proven.post('/webhooks', ` { "data" : {"first":1}, "source":{"id":"wh_odd"},"event":{"type":"odd.event","id":"ev_odd"}, "d\\u0061ta" : ${odd} }\n`)
  sent.set(enveloped.body.id, compact)
  const marked = await proven.post('/webhooks/custom/marked', Buffer.concat([Buffer.from([0xEF, 0xBB, 0xBF]), Buffer.from(odd)]))
  sent.set(marked.body.id, compact)
  for (const type of documented) {
    const text = documentedBytes(type).toString().replace(/^\{/, '{"extra": 1.0,')
    for (const body of [text, JSON.stringify(envelopeAround(type, 'DATA', `file-${type}`)).replace('"DATA"', text)]) {
      const answer = await proven.post(`/webhooks/${type}`, body)
      t.match(answer, { status: 202, body: { verdict: 'valid' } })
      sent.set(answer.body.id, text)
    }
  }
  const wanted = await proven.forwarded.find(({ deliveryId }) => deliveryId === [...sent.keys()].at(-1))
  t.ok(wanted)
  const lines = await proven.fileLines(proven.forwarded.lines.length)
  for (const [id, text] of sent) {
    const line = lines.find((each) => each.includes(`"id":"${String(id)}"`)) ?? ''
    const body = line.slice(line.indexOf(',"body":') + 8, -1)
    if (text === compact) t.equal(body, compact)
    t.strictSame(JSON.parse(body), JSON.parse(text))
    t.match(body, text === compact ? '1e2' : '"extra":1.0,')
  }
})
