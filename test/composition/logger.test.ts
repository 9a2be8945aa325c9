import t from 'tap'
import { lineDestination } from '../../src/composition/logger.js'

function render (lines: readonly object[], eventsTold = true): string[] {
  const written: string[] = []
  const destination = lineDestination({ write: line => { written.push(line) }, flushed: async () => {} }, { colour: false, eventsTold })
  destination.write(`${lines.map((line) => JSON.stringify({ level: 30, time: '2026-01-31T00:00:00Z', ...line })).join('\n')}\n`)
  return written.map((line) => line.replace(/^\d\d:\d\d:\d\d /, ''))
}

const deliveryId = '01a2194c-1f1f-71ea-b2f5-de6b9057d1fe'
const moved = { deliveryId, eventType: 'customer.loyalty.tier.upgraded', verdict: 'valid', held: false, faults: [], customerId: 'cust_3a5d020c0eda6ecc', tierFromName: 'Leaf', tierToName: 'Blütentee' }

t.test('lines that arrive in one chunk are each made readable', async t => {
  t.same(render([{ msg: 'one' }, { level: 40, msg: 'two', forwarder: 'http', detail: 'a b', many: { deep: 1 } }, { level: 50, msg: 'three', err: { message: 'it broke', stack: 'Error: it broke\n    at x (y.js:1)' } }]), [
    '· one\n', '! two  forwarder=http  detail="a b"  many={"deep":1}\n', '✗ three  it broke\n     at x (y.js:1)\n'.replace('     at', '         at')
  ])
})

t.test('an event is one readable line with its tiers and verdict, and other lines about the same event are left out', async t => {
  t.same(render([{ msg: moved.eventType, outcome: 'accepted', ...moved }]), ['✓ customer.loyalty.tier.upgraded  Leaf → Blütentee  cust_3a5d…  01a2194c-1f1f\n'])
  t.same(render([{ outcome: 'duplicate', ...moved }]), ['= customer.loyalty.tier.upgraded  Leaf → Blütentee  duplicate  cust_3a5d…  01a2194c-1f1f\n'])
  t.same(render([{ outcome: 'accepted', ...moved, customerId: null, tierToName: undefined, verdict: 'unvalidated' }]), ['✓ customer.loyalty.tier.upgraded  Leaf →  unvalidated  01a2194c-1f1f\n'])
  t.same(render([{ outcome: 'accepted', ...moved, verdict: 'invalid', quarantined: true, faults: [{ pointer: '/data/customer', message: 'is missing' }] }]), ['! customer.loyalty.tier.upgraded  Leaf → Blütentee  quarantined: /data/customer is missing  cust_3a5d…  01a2194c-1f1f\n'])
  for (const msg of ['webhook accepted', 'webhook invalid', 'webhook quarantined', 'listening', 'http server listens at http://127.0.0.1:3000']) t.same(render([{ msg, ...moved }]), [], msg)
  t.same(render([{ msg: moved.eventType, duplicates: 0, ...moved }]), [], 'the log forwarder\'s lines are left out')
})

t.test('a replay to the log, and the data of the log forwarder, are shown', async t => {
  const line = { msg: moved.eventType, duplicates: 0, ...moved }
  t.same(render([{ ...line, replay: true }]), ['↻ customer.loyalty.tier.upgraded  Leaf → Blütentee  replay  cust_3a5d…  01a2194c-1f1f\n'])
  t.match(render([{ ...line, data: { name: 'Zoë' } }])[0], /^· customer.*\n {9}\{"name":"Zoë"\}\n$/)
})

t.test('if the log level hides events, no other line is left out', async t => {
  t.match(render([{ level: 40, msg: 'webhook quarantined', ...moved }], false), [/^! webhook quarantined/])
  t.match(render([{ msg: moved.eventType, duplicates: 0, ...moved }], false), [/^· customer\.loyalty\.tier\.upgraded {2}Leaf → Blütentee/])
})

t.test('attempts and configuration warnings are shown in readable form', async t => {
  t.same(render([{ msg: 'delivery forwarded', forwarder: 'crm', deliveryId, eventType: 'x', attempt: 1, ms: 34 }]), ['→ crm  34 ms  01a2194c-1f1f\n'])
  t.same(render([{ level: 40, msg: 'delivery to be retried', forwarder: 'crm', deliveryId, attempt: 1, retryInMs: 11_000, reason: 'status 503' }]), ['↻ crm  again in 11 s: status 503  01a2194c-1f1f\n'])
  t.same(render([{ level: 40, msg: 'configuration warning', variable: 'PORT', reason: 'is odd' }]), ['! PORT is odd\n'])
  t.match(render([{ time: 'never', msg: 'x' }]), [/^--:--:-- · x/])
})
