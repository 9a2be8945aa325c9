import t from 'tap'
import { quarantinedDelivery, makeStore, newDelivery, settleAll, forwarded } from '../journal/sqlite/stored.js'
import { TOO_OLD } from '../../src/delivery/delivery.js'
import { createHarness } from './harness.js'

t.test('quarantined deliveries are listed with their faults, in pages, and as JSON', async t => {
  const store = makeStore(t)
  const [first, second] = [quarantinedDelivery(), quarantinedDelivery({ customerId: null, faults: [{ pointer: '', message: 'must be an object' }, { pointer: '/a', message: 'b' }] })]
  const unvalidated = quarantinedDelivery({ verdict: 'unvalidated', faults: [], eventType: 'custom.own' })
  store.append(first, newDelivery(), second, unvalidated)
  const table = createHarness()
  t.equal(await table.run('quarantine', '--data-dir', store.dataDir), 0)
  t.match(table.stdout.text, /^ID +RECEIVED +TYPE +VERDICT +CUSTOMER +FAULTS\n/)
  t.match(table.stdout.text, /cust_1 +\/data\/customer is required\n/)
  t.match(table.stdout.text, /- +must be an object \(and 1 more\)\n/)
  t.match(table.stdout.text, /unvalidated +cust_1 +-\n/)
  const page = createHarness()
  t.equal(await page.run('quarantine', '--data-dir', store.dataDir, '--limit', '1', '--before', second.id), 0)
  t.match(page.stderr.text, `add --before ${first.id}`)
  const json = createHarness()
  t.equal(await json.run('quarantine', '--data-dir', store.dataDir, '--json', '--type', 'custom.*'), 0)
  t.match(JSON.parse(json.stdout.text), { id: unvalidated.id, state: 'quarantined' })
  const none = createHarness()
  t.equal(await none.run('quarantine', '--data-dir', store.dataDir, '--type', 'x'), 0)
  t.match(none.stderr.text, 'Nothing is in quarantine.')
})

t.test('deliveries that are valid by the present schemas are released, and others only by force', async t => {
  const store = makeStore(t)
  const http = store.feed('http')
  const valid = newDelivery({ quarantined: true, verdict: 'invalid', faults: [{ pointer: '/x', message: 'was wrong once' }], eventType: 'customer.loyalty.tier.left' })
  const invalid = quarantinedDelivery()
  const own = quarantinedDelivery({ eventType: 'custom.own', verdict: 'unvalidated', faults: [], rawBody: Buffer.from('{"a":1}') })
  const noJson = quarantinedDelivery({ eventType: 'unknown', rawBody: Buffer.from('{') })
  const noObject = quarantinedDelivery({ eventType: 'unknown', rawBody: Buffer.from('[]') })
  const noEvent = quarantinedDelivery({ eventType: 'unknown', rawBody: Buffer.from('{}') })
  store.append(valid, invalid, own, noJson, noObject, noEvent)

  const harness = createHarness({ terminal: true })
  t.equal(await harness.run('quarantine', 'release', '--all', '--data-dir', store.dataDir), 0)
  t.match(harness.stdout.text, '2 deliveries released, 4 not\n')
  t.match(harness.stderr.text, new RegExp(`${invalid.id} still invalid: /\\S+ `))
  t.match(harness.stderr.text, `${noJson.id} still invalid: The body is not JSON`)
  t.match(harness.stderr.text, `${noObject.id} still invalid: must be an object`)
  t.match(harness.stderr.text, '--force also releases')
  const claims = await settleAll(http, forwarded)
  t.same(claims.map(({ delivery, replay }) => [delivery.id, delivery.verdict, replay]), [[valid.id, 'valid', false], [own.id, 'unvalidated', false]])

  const named = createHarness()
  t.equal(await named.run('quarantine', 'release', invalid.id, valid.id, '--data-dir', store.dataDir), 1)
  t.match(named.stdout.text, '0 deliveries released, 2 not')
  t.match(named.stderr.text, `${valid.id} not in quarantine\n`)
  const forced = createHarness()
  t.equal(await forced.run('quarantine', 'release', invalid.id, invalid.id, '--force', '--data-dir', store.dataDir), 0)
  t.match(forced.stdout.text, '1 delivery released\n')
  const json = createHarness()
  t.equal(await json.run('quarantine', 'release', '--type', 'unknown', '--json', '--data-dir', store.dataDir), 1, 'the command fails because it released nothing')
  t.match(json.stdout.text.trimEnd().split('\n').map(line => JSON.parse(line)), [{ status: 'still invalid' }, {}, {}])
})

t.test('an event that is too old to be recognised as a duplicate is released only by force, even if it is valid', async t => {
  const store = makeStore(t)
  const http = store.feed('http')
  const tooOld = quarantinedDelivery({ verdict: 'valid', faults: [{ pointer: '/event/created_at', message: TOO_OLD }], eventType: 'custom.own', rawBody: Buffer.from('{"a":1}') })
  store.append(tooOld)
  const list = createHarness()
  t.equal(await list.run('quarantine', '--data-dir', store.dataDir), 0)
  t.match(list.stdout.text, 'valid    cust_1    /event/created_at is longer ago than DEDUPE_WINDOW_DAYS')
  const harness = createHarness()
  t.equal(await harness.run('quarantine', 'release', '--all', '--data-dir', store.dataDir), 1, 'the command fails because it released nothing')
  t.match(harness.stdout.text, '0 deliveries released, 1 not\n')
  t.match(harness.stderr.text, `${tooOld.id} too old: /event/created_at is longer ago than DEDUPE_WINDOW_DAYS`)
  t.match(harness.stderr.text, '--force also releases what is still invalid or too old')
  t.equal((await settleAll(http, forwarded)).length, 0)
  t.equal(await createHarness().run('quarantine', 'release', '--all', '--force', '--data-dir', store.dataDir), 0)
  t.match(await settleAll(http, forwarded), [{ delivery: { id: tooOld.id, faults: { length: 0 } } }])
})

t.test('if many deliveries stay, the first ones are named', async t => {
  const store = makeStore(t)
  store.append(...Array.from({ length: 25 }, () => quarantinedDelivery()))
  const harness = createHarness()
  t.equal(await harness.run('quarantine', 'release', '--all', '--data-dir', store.dataDir), 1, 'the command fails because it released nothing')
  t.match(harness.stderr.text, '… and 5 more\n')
})

t.test('a signal stops a release between two steps', async t => {
  const store = makeStore(t)
  store.feed('http')
  store.append(...Array.from({ length: 3000 }, () => quarantinedDelivery()))
  const harness = createHarness()
  const running = harness.run('quarantine', 'release', '--all', '--force', '--data-dir', store.dataDir)
  while (harness.listeners.size === 0) await new Promise(resolve => { setImmediate(resolve) })
  harness.signal('SIGINT')
  harness.signal('SIGINT')
  t.equal(await running, 130)
  t.same(harness.exits, [130], 'a second signal ends the process')
  t.match(harness.stdout.text, /^(500|1,000|1,500|2,000|2,500) deliveries released/)
})

t.test('a release needs exactly one way to choose deliveries', async t => {
  for (const args of [[], ['01', '--all'], ['01', '--type', 'x']]) {
    const harness = createHarness()
    t.equal(await harness.run('quarantine', 'release', ...args), 2)
    t.match(harness.stderr.text, /Name (the )?deliveries/)
  }
})
