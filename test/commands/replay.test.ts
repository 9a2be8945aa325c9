import t from 'tap'
import { dead, forwarded, quarantinedDelivery, makeStore, newDelivery, openJournal, settleAll } from '../journal/sqlite/stored.js'
import { createHarness, watchOperator } from './harness.js'

t.test('named deliveries go to every known forwarder again, as often as asked', async t => {
  const store = makeStore(t)
  const [http, file] = [store.feed('http'), store.feed('file')]
  const [first, inQuarantine] = [newDelivery(), quarantinedDelivery()]
  store.append(first, inQuarantine)
  await settleAll(http, forwarded)
  await settleAll(file, forwarded)
  for (let time = 0; time < 2; time++) {
    const harness = createHarness({ terminal: true })
    t.equal(await harness.run('replay', first.id, first.id.slice(0, 30), '--data-dir', store.dataDir), 0)
    t.match(harness.stdout.text, '2 replays requested, of 1 delivery\n')
    t.match(harness.stderr.text, 'No service runs on this data folder now')
  }
  t.same((await settleAll(http, forwarded)).map(({ delivery, replay, attempt }) => [delivery.id, replay, attempt]), [[first.id, true, 1], [first.id, true, 1]])
  t.equal((await settleAll(file, forwarded)).length, 2)

  const quarantined = createHarness()
  t.equal(await quarantined.run('replay', inQuarantine.id, '--data-dir', store.dataDir, '--forwarder', 'http'), 1)
  t.match(quarantined.stderr.text, `Delivery ${inQuarantine.id} is in quarantine: "tierhook quarantine release" lets it out`)
  t.match(quarantined.stdout.text, '0 replays requested, of 0 deliveries')
})

t.test('a filter chooses only finished deliveries, because others are on their way', async t => {
  const store = makeStore(t)
  const http = store.feed('http')
  store.append(newDelivery({ customerId: 'cust_a' }), newDelivery({ customerId: 'cust_b' }))
  await settleAll(http, forwarded)
  store.append(newDelivery({ customerId: 'cust_a' }), quarantinedDelivery({ customerId: 'cust_a' }))
  const dry = createHarness()
  t.equal(await dry.run('replay', '--customer', 'cust_a', '--dry-run', '--data-dir', store.dataDir), 0)
  t.match(dry.stdout.text, '1 replay would be requested')
  t.match(dry.stderr.text, '1 more was left out')
  t.equal((await settleAll(http, forwarded)).length, 1, 'a dry run requests no replay')
})

t.test('a replay of all from a delivery on runs in steps, and a signal stops it between two steps', async t => {
  const store = makeStore(t)
  const http = store.feed('http')
  const many = Array.from({ length: 600 }, () => newDelivery())
  store.append(...many)
  await settleAll(http, forwarded)
  const harness = createHarness()
  const running = harness.run('replay', '--all', '--data-dir', store.dataDir)
  while (harness.listeners.size === 0) await new Promise(resolve => { setImmediate(resolve) })
  harness.signal('SIGTERM')
  const code = await running
  t.equal(code, 143)
  const rest = createHarness()
  t.equal(await rest.run('replay', '--after', many[499]?.id ?? '', '--json', '--data-dir', store.dataDir), 0)
  t.match(JSON.parse(rest.stdout.text), { replays: 100, deliveries: 100, passedOver: 0, dryRun: false, stopped: false, lastId: many[599]?.id })
})

t.test('dead letters go once, to the forwarder that gave up on them', async t => {
  const store = makeStore(t)
  const [a, b] = [store.feed('a'), store.feed('b')]
  store.append(newDelivery(), newDelivery())
  await settleAll(a, dead)
  await settleAll(b, ({ delivery: { sequence } }) => sequence === 1 ? dead() : forwarded())
  const harness = createHarness()
  t.equal(await harness.run('replay', '--dead', '--data-dir', store.dataDir), 0)
  t.match(harness.stdout.text, '3 replays requested')
  const again = createHarness()
  t.equal(await again.run('replay', '--dead', '--forwarder', 'a', '--data-dir', store.dataDir), 0)
  t.match(again.stdout.text, '0 replays requested', 'a delivery that is being replayed is no dead letter')
  t.equal((await settleAll(a, forwarded)).length, 2)
  t.equal((await settleAll(b, forwarded)).length, 1)
  const none = createHarness()
  await none.run('dead-letters', '--data-dir', store.dataDir)
  t.match(none.stderr.text, 'There are no dead letters')
})

t.test('a rate limits the replay to a running service, and Ctrl-C shows how to continue', async t => {
  const store = await openJournal(t)
  const feed = await store.feed('http')
  const many = Array.from({ length: 6 }, () => newDelivery())
  await store.append(...many)
  await settleAll(feed, forwarded)
  const begun = performance.now()
  const paced = createHarness()
  t.equal(await paced.run('replay', '--all', '--rate', '20', '--data-dir', store.dataDir), 0)
  t.ok(performance.now() - begun >= 250, '--rate slows the replays down')
  t.equal(paced.stderr.text, '')

  const asked = watchOperator('replay')
  const harness = createHarness(asked)
  const running = harness.run('replay', '--all', '--rate', '1', '--data-dir', store.dataDir)
  await asked.done
  harness.signal('SIGINT')
  t.equal(await running, 130)
  t.match(harness.stdout.text, '1 replay requested')
  t.match(harness.stderr.text, `to continue, repeat the command with --after ${many[0]?.id}`)
})

t.test('a replay needs exactly one way to choose deliveries and forwarders', async t => {
  const store = makeStore(t)
  store.append(newDelivery())
  const run = async (...args: string[]) => {
    const harness = createHarness()
    t.equal(await harness.run('replay', '--data-dir', store.dataDir, ...args), 2)
    return harness.stderr.text
  }
  t.match(await run(), 'Name the deliveries to replay, or choose them')
  t.match(await run('01', '--all'), 'but not both')
  t.match(await run('--all'), 'there is no forwarder to replay to')
  t.match(await run('--all', '--rate', '5'), '--rate paces what a running service forwards, and none runs')
  store.feed('http')
  t.match(await run('--all', '--forwarder', 'htpp'), 'did you mean http?')
})
