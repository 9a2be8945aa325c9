import t from 'tap'
import { existsSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from '../../../src/journal/sqlite/binding.js'
import type { DeliveryFilter } from '../../../src/delivery/listing.js'
import type { Operator } from '../../../src/delivery/operator.js'
import { openSqliteOperator } from '../../../src/journal/sqlite/operator.js'
import { selectDeliveries } from '../../../src/journal/sqlite/operator/select.js'
import { createJudge } from '../../../src/voucherify/judge.js'
import { dead, destroyPage, forwarded, quarantinedDelivery, makeStore, newDelivery, now, openJournal, record, retry, settleAll, type Folder } from './stored.js'
import { digestOf } from '../../../src/journal/traces.js'
import { databasePath, openForWriting } from '../../../src/journal/sqlite/database.js'
import { erase } from '../../../src/journal/sqlite/erase/erase.js'
import { parseFilter } from '../../../src/forwarders/delivery-filter.js'

function open (t: Folder, dataDir: string, judge = createJudge()): Operator {
  const operator = openSqliteOperator({ dataDir, judge, parseFilter, now: () => now + 60_000 })
  t.teardown(operator.close)
  return operator
}

async function ids (operator: Operator, filter: DeliveryFilter): Promise<readonly string[]> {
  return (await operator.list({ filter, order: 'newest first', limit: 100 })).map(({ id }) => id)
}

async function until (condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 120_000
  while (!await condition()) {
    if (performance.now() > deadline) throw new Error('Timed out after two minutes')
    await new Promise(resolve => { setTimeout(resolve, 20) })
  }
}

t.test('deliveries are listed newest first, in pages, and filtered by every field', async t => {
  const store = makeStore(t)
  const [first, second, third] = [
    newDelivery({ customerId: 'cust_a', campaignId: 'camp_a', sourceId: 'wh_a', receivedAt: now - 3000 }),
    newDelivery({ eventType: 'custom.odd[1]', verdict: 'unvalidated', receivedAt: now - 2000 }),
    newDelivery({ receivedAt: now - 1000 })
  ]
  store.append(first, second, third)
  const operator = open(t, store.dataDir)

  t.equal(await operator.lastSequence(), 3)
  t.same(await ids(operator, {}), [third.id, second.id, first.id])
  t.same(await ids(operator, { eventType: 'customer.*' }), [third.id, first.id])
  t.same(await ids(operator, { eventType: 'customer.loyalty.tier.left' }), [third.id, first.id])
  t.same(await ids(operator, { eventType: 'custom.odd[1]' }), [second.id])
  t.same(await ids(operator, { eventType: '*odd[1]' }), [second.id], 'only * is a wildcard')
  t.same(await ids(operator, { eventType: 'custom.od?[1]*' }), [])
  t.same(await ids(operator, { verdict: 'unvalidated' }), [second.id])
  t.same(await ids(operator, { customerId: 'cust_a' }), [first.id])
  t.same(await ids(operator, { campaignId: 'camp_a' }), [first.id])
  t.same(await ids(operator, { sourceId: 'wh_a' }), [first.id])
  t.same(await ids(operator, { since: now - 2000 }), [third.id, second.id])
  t.same(await ids(operator, { until: now - 2000 }), [first.id])

  const page = await operator.list({ filter: {}, order: 'newest first', before: 3, limit: 1 })
  t.match(page, [{ id: second.id, sequence: 2, state: 'accepted', forwarders: { length: 0 } }])
  const oldest = await operator.list({ filter: {}, order: 'oldest first', after: 1, limit: 1 })
  t.match(oldest, [{ id: second.id }])
})

t.test('the status of a delivery is shown for each forwarder, and can be filtered by', async t => {
  const store = makeStore(t)
  const http = store.feed('http')
  const [before, gone, waits, through, quarantined, pending] = [
    newDelivery({ customerId: null }), newDelivery({ customerId: null }), newDelivery({ customerId: null }), newDelivery({ customerId: null }), quarantinedDelivery(), newDelivery()
  ]
  store.append(before)
  const file = store.feed('file', { start: 'now' })
  store.append(gone, waits, through, quarantined)
  await settleAll(http, ({ delivery }) => delivery.id === gone.id ? dead() : delivery.id === waits.id ? retry() : forwarded())
  await settleAll(file, forwarded)
  store.append(pending)
  const operator = open(t, store.dataDir)

  const listed = await operator.list({ filter: {}, order: 'oldest first', limit: 10 })
  t.same(listed.map(({ forwarders }) => forwarders.map(({ status }) => status)), [
    ['before-start', 'forwarded'], ['forwarded', 'dead'], ['forwarded', 'retrying'], ['forwarded', 'forwarded'], ['quarantined', 'quarantined'], ['pending', 'pending']
  ])
  t.match(listed[1]?.forwarders[1], { forwarder: 'http', attempt: 1, reason: 'status 410' })
  t.match(listed[2]?.forwarders[1], { forwarder: 'http', attempt: 2, reason: 'status 503', dueAt: Number })

  t.same(await ids(operator, { status: 'dead' }), [gone.id])
  t.same(await ids(operator, { status: 'dead', forwarder: 'http' }), [gone.id])
  t.same(await ids(operator, { status: 'dead', forwarder: 'file' }), [])
  t.same(await ids(operator, { status: 'retrying' }), [waits.id])
  t.same(await ids(operator, { status: 'retrying', forwarder: 'http' }), [waits.id])
  t.same(await ids(operator, { status: 'retrying', forwarder: 'file' }), [])
  t.same(await ids(operator, { status: 'quarantined' }), [quarantined.id])
  t.same(await ids(operator, { status: 'pending' }), [pending.id])
  t.same(await ids(operator, { status: 'pending', forwarder: 'file' }), [pending.id])
  t.same(await ids(operator, { status: 'forwarded' }), [through.id, before.id], 'deliveries finished at every forwarder')
  t.same(await ids(operator, { status: 'forwarded', forwarder: 'file' }), [through.id, waits.id, gone.id], 'deliveries from before the forwarder began are not listed')

  const known = await operator.forwarders()
  t.match(known, [
    { name: 'file', cursor: 5, pending: 1, retrying: 0, dead: 0, breaker: 'closed', oldestReceivedAt: pending.receivedAt },
    { name: 'http', cursor: 5, pending: 1, retrying: 1, dead: 1, oldestReceivedAt: waits.receivedAt }
  ])
  t.same((await operator.forwarders({ except: ['http'] })).map(({ name }) => name), ['file'])
  t.match(await operator.deadLetters({ limit: 10 }), [{ id: gone.id, forwarder: 'http', attempts: 1, reason: 'status 410', replaying: false }])
  t.same(await operator.deadLetters({ forwarder: 'file', limit: 10 }), [])
  t.same(await operator.deadLetters({ eventType: 'campaign.*', limit: 10 }), [])
})

t.test('the unfinished deliveries of a forwarder are those it will still get: not dead, quarantined, removed or forwarded ones', async t => {
  const store = makeStore(t)
  const http = store.feed('http')
  const [gone, waits, through, quarantined, pending] = [
    newDelivery({ customerId: null }), newDelivery({ customerId: null }), newDelivery({ customerId: null }), quarantinedDelivery(), newDelivery()
  ]
  store.append(gone, waits, through, quarantined)
  await settleAll(http, ({ delivery }) => delivery.id === gone.id ? dead() : delivery.id === waits.id ? retry() : forwarded())
  store.append(pending)
  const operator = open(t, store.dataDir)
  const asked = [gone, waits, through, quarantined, pending].map(({ id }) => id)
  t.same(await operator.unfinished({ forwarder: 'http', ids: ['not-stored', ...asked] }), [waits.id, pending.id])
  t.same(await operator.unfinished({ forwarder: 'unknown', ids: asked }), [])
  const replayed = await operator.replay({ sequences: [3], forwarders: ['http'], finishedOnly: false, description: 'test', dryRun: false })
  t.equal(replayed.replays, 1)
  t.same(await operator.unfinished({ forwarder: 'http', ids: asked }), [waits.id, through.id, pending.id], 'a delivery being replayed counts as unfinished')
})

t.test('a page of dead letters never ends between two letters of one delivery', async t => {
  const store = makeStore(t)
  const [a, b] = [store.feed('a'), store.feed('b')]
  const [first, second] = [newDelivery(), newDelivery()]
  store.append(first, second)
  await settleAll(a, dead)
  await settleAll(b, dead)
  const operator = open(t, store.dataDir)
  const page = await operator.deadLetters({ limit: 1 })
  t.same(page.map(({ id, forwarder }) => [id, forwarder]), [[second.id, 'a'], [second.id, 'b']])
  const next = await operator.deadLetters({ limit: 1, before: page.at(-1)?.sequence })
  t.same(next.map(({ id }) => id), [first.id, first.id])
})

t.test('a delivery is found by its id or an unambiguous beginning of the id, and read with its attempts', async t => {
  const store = makeStore(t)
  const http = store.feed('http')
  const delivery = newDelivery({ id: '01983f1c-aaaa-7000-8000-000000000001' })
  store.append(delivery, newDelivery({ id: '01983f1c-aaab-7000-8000-000000000001' }), newDelivery({ id: '01983f1c-aaaa-7000-8000-000000000001x' }))
  await settleAll(http, ({ delivery: { id } }) => id === delivery.id ? dead() : forwarded())
  const operator = open(t, store.dataDir)
  t.same(await operator.find('01983F1C-AAAB'), { status: 'found', sequence: 2, id: '01983f1c-aaab-7000-8000-000000000001' })
  t.match(await operator.find('01983f1c'), { status: 'ambiguous', ids: { length: 3 } })
  t.match(await operator.find(delivery.id), { status: 'found', sequence: 1 }, 'a complete id is never ambiguous')
  t.same(await operator.find('ffff'), { status: 'unknown' })

  const details = await operator.read(1)
  t.match(details, { id: delivery.id, headers: delivery.headers, damaged: false, state: 'accepted', duplicates: 0 })
  t.same(details?.rawBody, delivery.rawBody)
  t.same(details?.attempts, [{ forwarder: 'http', replay: false, attempt: 1, startedAt: now, durationMs: 12.5, outcome: 'dead', detail: 'status 410' }])
  t.equal(await operator.read(99), undefined)
})

t.test('a released delivery reaches every known forwarder once, wherever its cursor is, and does not count as a replay', async t => {
  const store = await openJournal(t)
  let woken = 0
  const ahead = await store.feed('ahead', { onWork: () => { woken++ } })
  const [quarantined, other] = [quarantinedDelivery(), newDelivery()]
  await store.append(quarantined, other)
  await settleAll(ahead, forwarded)
  const behind = await store.feed('behind')
  const operator = open(t, store.dataDir)

  t.same((await operator.release({ sequences: [1], force: false })).map(({ status }) => status), ['still invalid'])
  t.match(await operator.release({ sequences: [1, 2, 77], force: true }), [
    { status: 'released', id: quarantined.id, verdict: 'invalid' }, { status: 'not in quarantine' }, { status: 'gone' }
  ])
  t.match(await operator.release({ sequences: [1], force: true }), [{ status: 'not in quarantine' }])

  const before = woken
  await until(async () => woken > before)
  t.match(await settleAll(ahead, forwarded), [{ delivery: { id: quarantined.id, quarantined: false }, replay: false }], 'the running service forwards the released delivery')
  const late = await settleAll(behind, forwarded)
  t.same(late.map(({ delivery: { id } }) => id).sort(), [quarantined.id, other.id].sort(), 'each delivery is forwarded once')
  t.same(late.map(({ replay }) => replay), [false, false])
  t.same((await operator.read(1))?.forwarders.map(({ status }) => status), ['forwarded', 'forwarded'])

  const newcomer = await store.feed('newcomer')
  t.equal((await settleAll(newcomer, forwarded)).length, 2, 'a forwarder that begins later gets the released delivery too')
})

t.test('a delivery that is released while an erasure by force reads it is erased in its new state, and is not damaged', async t => {
  const { append, dataDir } = makeStore(t)
  append(quarantinedDelivery({ customerId: 'cust_gone' }))
  const operator = open(t, dataDir, () => ({ verdict: 'valid', faults: [] }))
  const db = openForWriting(databasePath(dataDir))
  t.teardown(db.close)
  let released: Promise<unknown> | undefined
  const exec = (sql: string): void => {
    if (sql.startsWith('BEGIN')) released ??= operator.release({ sequences: [1], force: true })
    db.exec(sql)
  }
  const people = [{ by: 'customer' as const, digest: digestOf('cust_gone') }]
  t.match(erase({ ...db, exec }, { people, after: 0, limit: 10, force: true, dryRun: false }), { erased: { length: 1 } })
  t.match(await released, [{ status: 'released', verdict: 'valid' }])
  t.same((await operator.verify({ after: 0, limit: 10 })).damaged, [])
})

t.test('the outcome of an attempt on an event that was erased by force meanwhile is not kept', async t => {
  const { append, feed, dataDir } = makeStore(t)
  const results = [dead, retry, forwarded].map((result) => ({ ...result(), reason: 'cust_gone is unknown', detail: 'hello cust_gone' }))
  append(...results.map(({ status }) => newDelivery({ customerId: status === 'retry' ? 'cust_gone' : null, rawBody: Buffer.from('{"customer":"cust_gone"}') })), newDelivery())
  const http = feed('http')
  const { claims } = await http.claim(10)
  const operator = open(t, dataDir)
  const people = [{ by: 'customer' as const, digest: digestOf('cust_gone') }]
  t.match(await operator.erase({ people, after: 0, limit: 10, force: true, dryRun: false }), { erased: { length: 3 } })
  await http.settle(claims.map((claim, index) => ({ claim, result: results[index] ?? dead(), record })))
  const db = connect(databasePath(dataDir))
  t.teardown(db.close)
  t.strictSame(db.prepare('SELECT sequence, reason FROM waiting').all().length, 0)
  t.match(db.prepare('SELECT sequence, reason FROM dead_letters').all(), [{ sequence: 4, reason: 'status 410' }])
  t.match(db.prepare('SELECT sequence, outcome, detail FROM attempts ORDER BY sequence').all(), [
    { sequence: 1, outcome: 'dead', detail: null }, { sequence: 2, outcome: 'retry', detail: null }, { sequence: 3, outcome: 'forwarded', detail: null }, { sequence: 4, outcome: 'dead', detail: 'status 410' }
  ])
})

for (const order of ['customer', 'arrival'] as const) {
  t.test(`a delivery that waits in memory, in the order of ${order}, is not forwarded after it was erased by force`, async t => {
    const { append, feed, dataDir, close } = await openJournal(t)
    await append(newDelivery({ customerId: 'cust_a' }), newDelivery({ customerId: 'cust_gone' }), newDelivery({ customerId: 'cust_b' }))
    let told = 0
    const http = await feed('http', { order, onWork: () => { told++ } })
    const { claims } = await http.claim(1)
    const operator = open(t, dataDir)
    const before = told
    const people = [{ by: 'customer' as const, digest: digestOf('cust_gone') }]
    t.match(await operator.erase({ people, after: 0, limit: 10, force: true, dryRun: false }), { erased: { length: 1 } })
    await until(async () => told > before)
    await http.settle(claims.map((claim) => ({ claim, result: forwarded(), record })))
    t.match((await settleAll(http, forwarded)).map(({ delivery }) => delivery.customerId), ['cust_b'])
    await close()
    t.match(await operator.forwarders(), [{ pending: 0, retrying: 0, dead: 0 }], 'no delivery waits any more')
  })
}

t.test('a release validates by the present schemas, and stores the new verdict', async t => {
  const store = makeStore(t)
  store.append(quarantinedDelivery(), quarantinedDelivery())
  store.feed('http')
  const operator = open(t, store.dataDir, ({ eventType }) => {
    t.equal(eventType, 'customer.loyalty.tier.left')
    return { verdict: 'valid', faults: [] }
  })
  t.match(await operator.release({ sequences: [1], force: false }), [{ status: 'released', verdict: 'valid' }])
  t.match(await operator.read(1), { verdict: 'valid', faults: { length: 0 }, state: 'released', damaged: false, forwarders: [{ status: 'retrying', attempt: 1 }] })

  const quicker = open(t, store.dataDir)
  const beaten = open(t, store.dataDir, () => {
    quicker.release({ sequences: [2], force: true }).catch(t.error)
    return { verdict: 'valid', faults: [] }
  })
  t.match(await beaten.release({ sequences: [2], force: false }), [{ status: 'not in quarantine' }], 'the delivery was already released by another command')
  t.equal((await operator.forwarders())[0]?.retrying, 2, 'no delivery is marked twice')
})

t.test('a second replay is not a duplicate, and a dead letter that succeeds is no longer one', async t => {
  const store = await openJournal(t)
  let woken = 0
  const http = await store.feed('http', { onWork: () => { woken++ } })
  await store.append(newDelivery())
  await settleAll(http, dead)
  const operator = open(t, store.dataDir)
  const request = { sequences: [1], forwarders: ['http'], finishedOnly: false, description: 'test', dryRun: false }
  t.match(await operator.replay({ ...request, dryRun: true }), { replays: 1 })
  t.equal((await operator.forwarders())[0]?.retrying, 0, 'a dry run changes nothing')

  t.match(await operator.replay(request), { replays: 1, passedOver: 0, filtered: 0, refused: { length: 0 } })
  t.match(await operator.replay(request), { replays: 1 })
  t.match((await operator.read(1))?.forwarders, [{ status: 'retrying', replay: true, attempt: 1 }])
  t.match(await operator.deadLetters({ limit: 5 }), [{ replaying: true }])
  t.same(await ids(operator, { status: 'dead' }), [], 'a dead letter that is being replayed counts as retrying')
  const before = woken
  await until(async () => woken > before)
  const claims = await settleAll(http, forwarded)
  t.match(claims, [{ replay: true, attempt: 1 }, { replay: true }])
  t.equal(claims.length, 2)
  t.match(await operator.read(1), { forwarders: [{ status: 'forwarded' }], attempts: [{ replay: false, outcome: 'dead' }, { replay: true, outcome: 'forwarded' }, { replay: true }] })
  t.same(await operator.deadLetters({ limit: 5 }), [])
})

t.test('a replay by filter skips deliveries on their first attempt, and quarantined, damaged or removed ones', async t => {
  const store = makeStore(t)
  const http = store.feed('http')
  store.append(newDelivery({ customerId: null }), newDelivery({ customerId: null }), quarantinedDelivery(), quarantinedDelivery(), newDelivery())
  const first = await http.claim(2)
  await http.settle(first.claims.map((claim, index) => ({ claim, result: index === 0 ? forwarded() : retry() })))
  const db = connect(join(store.dataDir, 'tierhook.db'))
  db.exec('UPDATE deliveries SET hold = 3 WHERE sequence = 4')
  const operator = open(t, store.dataDir)
  await operator.replay({ sequences: [1], forwarders: ['http'], finishedOnly: true, description: '', dryRun: false })
  t.same(await operator.replay({ sequences: [1, 2, 3, 4, 5, 99], forwarders: ['http'], finishedOnly: true, description: '', dryRun: false }), {
    replays: 1,
    passedOver: 2,
    filtered: 0,
    refused: [{ sequence: 3, why: 'quarantined' }, { sequence: 4, why: 'damaged' }, { sequence: 99, why: 'gone' }]
  })
  t.match(await operator.release({ sequences: [3, 4], force: true }), [{ status: 'released' }, { status: 'damaged' }])
  t.match(await operator.replay({ sequences: [3], forwarders: ['http'], finishedOnly: true, description: '', dryRun: false }), { passedOver: 1 }, 'a delivery that was just released is not replayed')
  t.same((await operator.read(4))?.forwarders.map(({ status }) => status), ['damaged'])
  db.close()
})

t.test('a forwarder is forgotten step by step, and its own row last', async t => {
  const store = makeStore(t)
  const http = store.feed('http')
  store.append(...Array.from({ length: 3 }, () => newDelivery({ customerId: null })))
  await settleAll(http, ({ delivery: { sequence } }) => sequence === 3 ? dead() : retry())
  store.close()
  const operator = open(t, store.dataDir)
  t.same(await operator.forget({ forwarder: 'http', limit: 2 }), { dropped: 2, done: false })
  t.match(await operator.forwarders(), [{ name: 'http', retrying: 0, dead: 1 }])
  t.same(await operator.forget({ forwarder: 'http', limit: 2 }), { dropped: 1, done: true })
  t.same(await operator.forwarders(), [])
})

t.test('one flipped byte is found, and affects no other record', async t => {
  const store = makeStore(t)
  store.append(newDelivery(), newDelivery(), quarantinedDelivery(), newDelivery())
  store.close()
  const db = connect(join(store.dataDir, 'tierhook.db'))
  db.exec("UPDATE bodies SET raw_body = CAST(replace(CAST(raw_body AS TEXT), 'proj', 'prok') AS BLOB) WHERE sequence = 2; DELETE FROM bodies WHERE sequence = 3; UPDATE deliveries SET headers = '{' WHERE sequence = 4")
  db.close()
  const operator = open(t, store.dataDir)
  const step = await operator.verify({ after: 0, limit: 3 })
  t.match(step, { checked: 3, upTo: 3, done: false })
  t.same(step.damaged.map(({ sequence }) => sequence), [2, 3])
  t.match(await operator.verify({ after: 3, limit: 3 }), { checked: 1, upTo: 4, done: true, damaged: [{ sequence: 4, id: String }] })
  t.match(await operator.read(2), { damaged: true })
  t.match(await operator.read(3), { damaged: true, rawBody: undefined })
  t.match(await operator.read(4), { damaged: true, headers: {} })
  t.match(await operator.release({ sequences: [3], force: true }), [{ status: 'damaged' }])
  t.same(await operator.checkFiles(), [])
})

t.test('a destroyed page of the file loses only its own records', async t => {
  const store = makeStore(t)
  store.append(...Array.from({ length: 60 }, () => newDelivery()))
  store.close()
  destroyPage(store.dataDir, 0)
  const operator = open(t, store.dataDir)
  const { checked, damaged, done } = await operator.verify({ after: 0, limit: 500 })
  t.ok(done)
  t.equal(checked, 60)
  t.ok(damaged.length > 0 && damaged.length < 60, `${damaged.length} are damaged`)
  t.equal(damaged[0]?.id, null)
  t.not((await operator.checkFiles()).length, 0)
  await t.rejects(operator.list({ filter: {}, order: 'oldest first', limit: 50 }), { code: 'STORE_DAMAGED', message: 'tierhook verify' })
})

t.test('retention can be counted, and applied at once', async t => {
  const store = makeStore(t)
  const http = store.feed('http')
  store.append(newDelivery({ receivedAt: 1000 }), newDelivery({ receivedAt: 2000 }), newDelivery({ receivedAt: now }))
  await settleAll(http, ({ delivery: { sequence } }) => sequence === 2 ? dead() : forwarded())
  store.close()
  const operator = open(t, store.dataDir)
  const limits = { now: 10_000, quarantinedBefore: 0, receivedBefore: 5000, maxBytes: 0, keysBefore: 0 }
  t.match(await operator.countPrunable(limits), { deliveries: 1, usedBytes: Number })
  t.match(await operator.prune({ ...limits, after: 0, limit: 100 }), { removed: 1 })
  t.match(await operator.countPrunable(limits), { deliveries: 0 })
})

t.test('the check whether a service uses the folder leaves no trace', async t => {
  const store = await openJournal(t)
  const operator = open(t, store.dataDir)
  t.equal(await operator.isServed(), true)
  await store.close()
  t.equal(await operator.isServed(), false)
  const again = await openJournal(t, store.dataDir)
  t.equal(await operator.isServed(), true)
  await again.close()
})

t.test('a folder without a database, or with a newer, older or foreign one, is refused and unchanged', async t => {
  const folder = t.testdir({ empty: {}, data: {} })
  const empty = join(folder, 'empty')
  symlinkSync('round', join(empty, 'round'))
  t.throws(() => open(t, join(empty, 'round')), { code: 'STORE_READ_ONLY', message: 'cannot be reached (ELOOP): run as the user' }, 'an unreadable file is not reported as missing')
  t.throws(() => open(t, empty), { code: 'NO_STORE', message: `There is no tierhook.db in ${empty}: name the right data folder` })
  t.notOk(existsSync(join(empty, 'tierhook.db')), 'the operator creates no database')

  const store = makeStore(t, join(folder, 'data'))
  store.close()
  const path = join(store.dataDir, 'tierhook.db')
  const change = (sql: string): void => {
    const db = connect(path)
    db.exec(sql)
    db.close()
  }
  change('PRAGMA user_version = 99')
  t.throws(() => open(t, store.dataDir), { code: 'WRONG_STORE', message: `${path} has schema version 99` })
  change('PRAGMA user_version = 0')
  t.throws(() => open(t, store.dataDir), { code: 'WRONG_STORE', message: 'start the service once' })
  change('PRAGMA application_id = 5; PRAGMA user_version = 1')
  t.throws(() => open(t, store.dataDir), { code: 'WRONG_STORE', message: 'was not made by tierhook' })
  writeFileSync(path, 'this is a text, and no database at all'.repeat(100))
  t.throws(() => open(t, store.dataDir), { name: 'StoreError' })
})

t.test('a database that another process locks is reported as busy', async t => {
  const store = makeStore(t)
  store.append(newDelivery())
  store.feed('http')
  store.close()
  const db = connect(join(store.dataDir, 'tierhook.db'))
  db.exec('BEGIN IMMEDIATE')
  const operator = open(t, store.dataDir)
  await t.rejects(operator.replay({ sequences: [1], forwarders: ['http'], finishedOnly: false, description: '', dryRun: false }), { code: 'STORE_BUSY', message: 'try again' })
  t.equal((await operator.list({ filter: {}, order: 'newest first', limit: 5 })).length, 1, 'reading still works while another program writes')
  db.exec('ROLLBACK')
  db.close()
})

t.test('a page of a store of 100,000 deliveries reads a small part of it, however few deliveries match the filter', async t => {
  const store = makeStore(t)
  store.feed('http')
  store.append(newDelivery())
  store.close()
  const db = connect(join(store.dataDir, 'tierhook.db'))
  t.teardown(() => { db.close() })
  db.exec(`WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
    INSERT INTO deliveries (id, received_at, event_type, verdict, hold, customer_id, headers, body_bytes, checksum)
    SELECT printf('%012x', i), ${now} + i, 'customer.loyalty.tier.left', 'valid', i % 1000 = 0, 'cust_' || (i % 5000), '{}', 2, 3 FROM n;
    INSERT INTO dead_letters SELECT 'http', sequence, 1, 1, 'x' FROM deliveries WHERE sequence % 2 = 0`)
  const operator = open(t, store.dataDir)
  const before = 90_000
  const customerId = 'nobody'
  const cases: ReadonlyArray<readonly [filter: DeliveryFilter, next: number | undefined]> = [
    [{ customerId }, before - 25_000],
    [{ eventType: 'none.*' }, before - 25_000],
    [{ status: 'pending', forwarder: 'http', customerId }, before - 25_000],
    // Every second delivery is a dead letter.
    [{ status: 'dead', customerId }, before - 10_000],
    // There are 89 dead letters.
    [{ status: 'quarantined', customerId }, undefined]
  ]
  for (const [filter, next] of cases) {
    t.same(await operator.page({ filter, before, limit: 50 }), { items: [], next }, `${JSON.stringify(filter)}: the position where the search stops`)
    const { text, values } = selectDeliveries('d.id', { filter, order: 'newest first', after: 1, before, limit: 50 })
    const plan = (db.prepare(`EXPLAIN QUERY PLAN ${text}`).all([...values]) as Array<{ detail: string }>).map(({ detail }) => detail)
    t.match(plan[0], /^SEARCH [ds] USING .*\((hold=\? AND )?(rowid|sequence)>\? AND (rowid|sequence)<\?\)$/, 'the query searches only the rows between the two positions')
    t.notMatch(plan.join(), 'TEMP B-TREE', 'the query needs no sort')
  }
})

t.test('a page reads only a part, says where to continue, and no delivery is missed', async t => {
  const store = makeStore(t)
  const made = Array.from({ length: 20 }, (_, index) => index % 5 === 0 ? quarantinedDelivery({ customerId: 'cust_rare' }) : newDelivery())
  store.append(...made)
  const http = store.feed('http')
  await settleAll(http, ({ delivery }) => delivery.sequence % 2 === 0 ? dead() : forwarded())
  const operator = open(t, store.dataDir)

  async function walk (filter: DeliveryFilter, { limit = 2, lookAt = 3 } = {}) {
    const sequences: number[] = []
    let calls = 0
    for (let before: number | undefined; ;) {
      const { items, next } = await operator.page({ filter, limit, lookAt, before })
      t.ok(items.length <= limit)
      sequences.push(...items.map(({ sequence }) => sequence))
      calls++
      if (next === undefined) return { sequences, calls }
      t.ok(before === undefined || next < before, 'each call gets closer to the end')
      before = next
    }
  }

  const all = { order: 'newest first', limit: 100 } as const
  for (const filter of [{}, { customerId: 'cust_rare' }, { customerId: 'nobody' }, { status: 'dead' }, { status: 'dead', forwarder: 'http', customerId: 'cust_1' }, { status: 'quarantined' }, { status: 'forwarded' }, { status: 'retrying' }] as const) {
    const expected = (await operator.list({ ...all, filter })).map(({ sequence }) => sequence)
    t.same((await walk(filter)).sequences, expected, JSON.stringify(filter))
    t.same((await walk(filter, { limit: 100, lookAt: 100 })).sequences, expected)
  }
  t.equal((await walk({ customerId: 'nobody' })).calls, 7, 'each call looks at three records')
  t.same((await operator.page({ filter: {}, limit: 5, after: 18 })).items.map(({ sequence }) => sequence), [20, 19])

  const deaths: number[] = []
  for (let before: number | undefined; ;) {
    const { items, next } = await operator.deadLetterPage({ limit: 2, lookAt: 3, before, eventType: 'customer.*' })
    deaths.push(...items.map(({ sequence }) => sequence))
    if (next === undefined) break
    before = next
  }
  t.same(deaths, (await operator.deadLetters({ limit: 100 })).map(({ sequence }) => sequence))
})
