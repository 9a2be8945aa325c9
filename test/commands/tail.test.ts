import t from 'tap'
import { quarantinedDelivery, makeStore, newDelivery } from '../journal/sqlite/stored.js'
import { createHarness, watchOperator } from './harness.js'

async function shown (harness: ReturnType<typeof createHarness>, text: string): Promise<void> {
  const deadline = performance.now() + 120_000
  while (!harness.stdout.text.includes(text)) {
    if (performance.now() > deadline) throw new Error(`It has not shown ${text}`)
    await new Promise(resolve => { setTimeout(resolve, 10) })
  }
}

t.test('new deliveries are shown, earlier ones are not, and Ctrl-C ends the command properly', async t => {
  const store = makeStore(t)
  const old = newDelivery()
  store.append(old)
  const begun = watchOperator('lastSequence')
  const harness = createHarness(begun)
  const running = harness.run('tail', '--data-dir', store.dataDir)
  await begun.done
  const [fresh, quarantined] = [newDelivery({ customerId: null }), quarantinedDelivery()]
  store.append(fresh, quarantined)
  await shown(harness, quarantined.id)
  t.match(harness.stdout.text, new RegExp(`Z {2}${fresh.id} {2}customer.loyalty.tier.left {2}valid {2}Blütentee {2}-\n`))
  t.match(harness.stdout.text, 'invalid  quarantined  cust_1\n')
  t.notMatch(harness.stdout.text, old.id)
  harness.signal('SIGINT')
  t.equal(await running, 0)
  t.equal(harness.listeners.size, 0)
})

t.test('the command ends after a number of deliveries, and shows only matching ones', async t => {
  const store = makeStore(t)
  const begun = watchOperator('lastSequence')
  const harness = createHarness(begun)
  const running = harness.run('tail', '--data-dir', store.dataDir, '--type', 'campaign.*', '--count', '2', '--json')
  await begun.done
  const wanted = [newDelivery({ eventType: 'campaign.a' }), newDelivery({ eventType: 'campaign.b' }), newDelivery({ eventType: 'campaign.c' })]
  store.append(newDelivery(), ...wanted)
  t.equal(await running, 0)
  t.same(harness.stdout.text.trimEnd().split('\n').map(line => JSON.parse(line).id), wanted.slice(0, 2).map(({ id }) => id))
})

t.test('on a terminal each delivery is one line with its tiers and its faults', async t => {
  const store = makeStore(t)
  const begun = watchOperator('lastSequence')
  const harness = createHarness({ ...begun, terminal: true, environment: { NO_COLOR: '1' } })
  const running = harness.run('tail', '--data-dir', store.dataDir, '--count', '2')
  await begun.done
  const rawBody = Buffer.from(JSON.stringify({ loyalty_tier_from: { name: 'Leaf' }, loyalty_tier_to: { name: 'Blütentee' } }))
  const [moved, quarantined] = [newDelivery({ customerId: 'cust_3a5d020c', rawBody }), quarantinedDelivery()]
  store.append(moved, quarantined)
  t.equal(await running, 0)
  const [one = '', other = ''] = harness.stdout.text.split('\n')
  t.match(one, new RegExp(`^\\d\\d:\\d\\d:\\d\\d ✓ ${moved.eventType.replaceAll('.', '\\.')} {2}Leaf → Blütentee {2}cust_3a5d… {2}${moved.id.slice(0, 13)}$`))
  t.match(other, /^\S+ ! .* {2}quarantined: \S/)
})
