import t from 'tap'
import { contentKey, dedupeKey, isEnvelope, readEnvelope, readSubject } from '../../src/voucherify/identify.js'

t.test('an envelope is told apart from a bare body by its content', async t => {
  for (const body of [{ data: {}, event: {} }, { data: 1, source: {} }, { event: null, project_id: '' }, { data: {}, event: {}, customer: {} }, { data: {}, event: '', source: {}, customer: {} }, { data: {}, object: 'event', webhook_id: '' }]) {
    t.ok(isEnvelope(body), JSON.stringify(body))
  }
  for (const body of [{}, { customer: {} }, { data: {}, campaign: null }, { event: {}, loyalty_tier_to: {} }, { type: 'x', source: {} }, { data: {}, id: 'cust_1', created_at: '' }, { event: 'upgrade', id: 'cust_1' }, { event: 'upgrade', data: {} }, { data: {}, source: 'till' }, { data: {}, source: {}, customer: {} }]) {
    t.notOk(isEnvelope(body), JSON.stringify(body))
    t.equal(readEnvelope(body), null)
  }
})

t.test('the values of an envelope are read, and one of the wrong type counts as absent', async t => {
  const full = { id: 'whs_1', project_id: 'proj_1', source: { id: 'wh_1', object: 'webhook' }, event: { id: 'ev_1', type: 'a.b' }, data: {} }
  t.strictSame(readEnvelope(full), { eventType: 'a.b', id: 'whs_1', projectId: 'proj_1', sourceObject: 'webhook', sourceId: 'wh_1', eventId: 'ev_1' })
  const nothing = { eventType: null, id: null, projectId: null, sourceObject: null, sourceId: null, eventId: null }
  for (const event of [null, 'text', [], { type: 3 }, { type: '' }, { type: 'a b' }, { type: 'a\nb' }, { type: 'é' }, { type: 'x'.repeat(257), id: 'y'.repeat(257) }]) {
    t.strictSame(readEnvelope({ data: {}, event, id: 5, project_id: [], source: 'wh_1' }), nothing)
  }
  t.equal(readEnvelope({ data: {}, event: { type: 'x'.repeat(256) } })?.eventType, 'x'.repeat(256))
})

t.test('the customer and the campaign are those of the event', async t => {
  t.strictSame(readSubject({ customer: { id: 'cust_1' }, campaign: { id: 'camp_1' }, loyalty_tier: { campaign_id: 'camp_2' } }), { customerId: 'cust_1', campaignId: 'camp_1' })
  for (const key of ['loyalty_tier', 'loyalty_tier_to', 'loyalty_tier_from']) {
    t.strictSame(readSubject({ campaign: null, [key]: { campaign_id: 'camp_2' } }), { customerId: null, campaignId: 'camp_2' }, key)
  }
  for (const data of [undefined, null, 'text', [], { customer: 'cust_1', campaign: [] }]) t.strictSame(readSubject(data), { customerId: null, campaignId: null })
})

t.test('half a surrogate pair, which cannot be stored, is replaced in descriptions, and an identifying value with one counts as absent', async t => {
  const facts = readEnvelope({ data: {}, id: 'w\ud83d', project_id: 'p\ud83d', source: { id: 's\ud83d', object: '\udc00' }, event: { id: 'e\ud83e' } })
  t.strictSame(facts, { eventType: null, id: null, projectId: 'p\ufffd', sourceObject: '\ufffd', sourceId: null, eventId: null })
  t.strictSame(readSubject({ customer: { id: 'c\ud83d' }, campaign: { id: '\ud83dc' } }), { customerId: 'c\ufffd', campaignId: '\ufffdc' })
  t.strictSame(readSubject({ customer: { id: 'c\ud83d\ude00' } }), { customerId: 'c😀', campaignId: null })
})

const keyOf = (body: Record<string, unknown>) => dedupeKey({ facts: readEnvelope(body), body, rawBody: Buffer.from(JSON.stringify(body)) })

t.test('source and event identify duplicates, otherwise the send-out, otherwise the content of a body with its own time, otherwise nothing', async t => {
  t.equal(keyOf({ data: {}, source: { id: 's' }, event: { id: 'e' }, id: 'w' }), 'event:["s","e"]')
  t.equal(keyOf({ data: {}, source: { id: 's' }, event: {}, id: 'w' }), 'send-out:w')
  t.equal(keyOf({ data: {}, event: { id: 'e' }, id: 'w', project_id: 'p' }), 'send-out:w')
  t.equal(keyOf({ data: {}, event: { id: 'e' }, id: 'cust_1' }), null, 'without a source or project_id the body may be the team\'s own, so its id is not used')
  t.match(keyOf({ data: {}, event: {}, created_at: '2026' }), /^content:/)
  t.match(keyOf({ data: {}, event: { created_at: '2026' } }), /^content:/)
  t.match(keyOf({ customer: null, id: 'no send-out', created_at: '2026' }), /^content:[\w-]{43}$/)
  t.equal(keyOf({ customer: null, id: 'no send-out' }), null)
  t.equal(keyOf({ customer: null, event: { created_at: '2026' } }), null, 'a bare body\'s own created_at is the only time that counts')
  t.equal(keyOf({ created_at: 5 }), null)
})

t.test('no two pairs of ids make the same key', async t => {
  t.not(keyOf({ data: {}, source: { id: 'a","b' }, event: { id: 'c' } }), keyOf({ data: {}, source: { id: 'a' }, event: { id: 'b","c' } }))
})

t.test('content does not depend on the order of keys, and the content of a body that is not JSON is its bytes', async t => {
  t.equal(keyOf({ created_at: '2026', a: { c: 1, b: 2 } }), keyOf({ a: { b: 2, c: 1 }, created_at: '2026' }))
  t.not(keyOf({ created_at: '2026', n: [1, 2] }), keyOf({ created_at: '2026', n: [2, 1] }))
  const content = (text: string, json: boolean) => contentKey(Buffer.from(text), { json })
  t.equal(content(' [1, 2]', true), content('[1,2]', true))
  t.not(content('  message  ', false), content('message', false))
  t.match(contentKey(Buffer.from([0xFF, 0]), { json: false }), /^content:[\w-]{43}$/)
})
