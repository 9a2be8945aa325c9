import t, { type Test } from 'tap'
import { setTimeout as pause } from 'node:timers/promises'
import { inspect } from 'node:util'
import { systemClock } from '../../../src/delivery/clock.js'
import type { Claim, Feed } from '../../../src/delivery/journal.js'
import type { NewDelivery } from '../../../src/delivery/delivery.js'
import type { DeliveryFilter } from '../../../src/delivery/listing.js'
import type { Operator } from '../../../src/delivery/operator.js'
import { digestOf } from '../../../src/journal/traces.js'
import { openPostgresOperator } from '../../../src/journal/postgres/operator.js'
import { parseFilter } from '../../../src/forwarders/delivery-filter.js'
import { createJudge } from '../../../src/voucherify/judge.js'
import { buildAdmin } from '../../support/build-admin.js'
import { captureLog } from '../../support/capture-log.js'
import { eventually, eventuallyTrue } from '../../support/eventually.js'
import { createPostgresJournal } from '../../support/postgres-journal.js'
import { noPostgres, startPostgres, type PostgresServer } from '../../support/postgres-server.js'
import { hookQueries } from '../../support/query-hook.js'
import { dead, forwarded, quarantinedDelivery, newDelivery, now, record, retry, settleAll } from '../sqlite/stored.js'

const DAY_MS = 86_400_000
let schemas = 0

async function makeStore (t: Test, server: PostgresServer) {
  const schema = `operator_${++schemas}`
  const { logger } = captureLog()
  const journal = createPostgresJournal({ url: server.url, schema, logger, clock: systemClock, dedupeWindowMs: 7 * DAY_MS, retention: { maxAgeMs: 30 * DAY_MS, maxBytes: 0 }, forwarders: ['a', 'b', 'c'] })
  t.teardown(async () => { await journal.close() })
  await journal.start()
  const operator = openPostgresOperator({ url: server.url, schema, judge: createJudge(), parseFilter })
  t.teardown(async () => { await operator.close() })
  return {
    schema,
    operator,
    journal,
    append: async (...deliveries: readonly NewDelivery[]) => { for (const delivery of deliveries) await journal.append(delivery) },
    feed: async (forwarder: string, start: 'now' | 'beginning' = 'beginning', filter?: string, onWork = () => {}): Promise<Feed> => await journal.openFeed({ forwarder, order: 'customer', start, filter, onWork }),
    sql: async <T>(text: string) => await server.query<T>(text.replaceAll('{s}', schema))
  }
}

async function ids (operator: Operator, filter: DeliveryFilter): Promise<readonly string[]> {
  return (await operator.list({ filter, order: 'newest first', limit: 100 })).map(({ id }) => id)
}

t.test('an operator of a journal in PostgreSQL', { skip: noPostgres }, async (t) => {
  const server = await startPostgres(t)

  await t.test('a dead letter that was discarded while another delivery still blocks the cursor does not come back', async (t) => {
    const { append, feed, journal, operator, schema } = await makeStore(t, server)
    await append(newDelivery({ customerId: 'cust_slow' }), newDelivery(), newDelivery())
    const first = await feed('a')
    const claims = await eventually(async () => {
      const { claims } = await first.claim(10)
      return claims.length > 0 ? claims : undefined
    }, 'the first claims')
    const [slow, second] = claims
    t.match([slow, second], [{ delivery: { sequence: 1 } }, { delivery: { sequence: 2 } }])
    await first.settle(claims.slice(1, 2).map((claim) => ({ claim, result: dead(), record })))
    t.match(await operator.discard({ from: 'dead letters', forwarder: 'a', sequences: [2] }), [{ status: 'discarded' }])
    await journal.close()
    const { logger } = captureLog()
    const next = createPostgresJournal({ url: server.url, schema, logger, clock: systemClock, dedupeWindowMs: 7 * DAY_MS, retention: { maxAgeMs: 30 * DAY_MS, maxBytes: 0 }, forwarders: ['a'] })
    t.teardown(async () => { await next.close() })
    await next.start()
    const again = await next.openFeed({ forwarder: 'a', order: 'customer', start: 'beginning', onWork: () => {} })
    const seen: number[] = []
    await eventually(async () => {
      seen.push(...(await settleAll(again, forwarded)).map(({ delivery: { sequence } }) => sequence))
      return seen.includes(3) ? true : undefined
    }, 'delivery 3 to be handed out')
    t.strictSame(seen.sort(), [1, 3])
  })

  await t.test('deliveries are listed newest first, in pages, and filtered by every field', async (t) => {
    const { append, operator } = await makeStore(t, server)
    const [first, second, third] = [
      newDelivery({ customerId: 'cust_a', campaignId: 'camp_a', sourceId: 'wh_a', receivedAt: now - 3000 }),
      newDelivery({ eventType: 'custom.odd%[1]', verdict: 'unvalidated', receivedAt: now - 2000 }),
      newDelivery({ receivedAt: now - 1000 })
    ]
    await append(first, second, third)
    t.equal(await operator.lastSequence(), 3)
    t.same(await ids(operator, {}), [third.id, second.id, first.id])
    t.same(await ids(operator, { eventType: 'customer.*' }), [third.id, first.id])
    t.same(await ids(operator, { eventType: 'custom.odd%[1]' }), [second.id])
    t.same(await ids(operator, { eventType: '*odd%[1]' }), [second.id], 'only * is a wildcard')
    t.same(await ids(operator, { eventType: 'cust_m.odd*' }), [])
    t.same(await ids(operator, { verdict: 'unvalidated' }), [second.id])
    for (const text of ['cust_a', 'camp_', first.id.toUpperCase()]) t.ok((await ids(operator, { text })).includes(first.id), text)
    t.same(await ids(operator, { text: 'odd' }), [second.id], 'the text is found inside the type')
    t.same(await ids(operator, { text: 'ust_a' }), [])
    t.same(await ids(operator, { customerId: 'cust_a', campaignId: 'camp_a', sourceId: 'wh_a' }), [first.id])
    t.same(await ids(operator, { since: now - 2000 }), [third.id, second.id])
    t.same(await ids(operator, { until: now - 2000 }), [first.id])
    const page = await operator.page({ filter: {}, limit: 2 })
    t.match(page, { items: [{ id: third.id }, { id: second.id }], next: 2 })
    t.match(await operator.page({ filter: { verdict: 'unvalidated' }, limit: 2, lookAt: 1 }), { items: { length: 0 }, next: 3 }, 'a part of the store in which no delivery matches')
    t.match(await operator.page({ filter: {}, before: 2, limit: 2 }), { items: [{ id: first.id }], next: undefined })
    t.match(await operator.find(first.id.slice(0, 30)), { status: /found|ambiguous/ })
    t.match(await operator.find(first.id.toUpperCase()), { status: 'found', sequence: 1 })
    t.same(await operator.find('ffff'), { status: 'unknown' })
    t.same(await operator.find('ffff\0'), { status: 'unknown' })
    for (const filter of [{ text: 'cust\0' }, { eventType: '*\0' }, { customerId: 'cust_a\0' }]) t.same(await ids(operator, filter), [], 'no delivery matches a text with NUL, which PostgreSQL cannot store')
  })

  await t.test('the status of a delivery is shown for each forwarder, and can be filtered by', async (t) => {
    const { append, feed, operator } = await makeStore(t, server)
    const a = await feed('a')
    const [before, gone, waits, through, quarantined, pending] = [newDelivery({ customerId: null }), newDelivery({ customerId: null }), newDelivery({ customerId: null }), newDelivery({ customerId: null }), quarantinedDelivery(), newDelivery()]
    await append(before)
    const b = await feed('b', 'now')
    await append(gone, waits, through, quarantined)
    await settleAll(a, ({ delivery }) => delivery.id === gone.id ? dead() : delivery.id === waits.id ? retry() : forwarded())
    await settleAll(b, forwarded)
    await a.close()
    await b.close()
    await append(pending)

    const listed = await operator.list({ filter: {}, order: 'oldest first', limit: 10 })
    t.same(listed.map(({ forwarders }) => forwarders.map(({ status }) => status)), [
      ['forwarded', 'before-start'], ['dead', 'forwarded'], ['retrying', 'forwarded'], ['forwarded', 'forwarded'], ['quarantined', 'quarantined'], ['pending', 'pending']
    ])
    t.match(listed[1]?.forwarders[0], { attempt: 1, reason: 'status 410' })
    t.match(listed[2]?.forwarders[0], { attempt: 2, reason: 'status 503', dueAt: Number })
    t.same(await ids(operator, { status: 'dead' }), [gone.id])
    t.same(await ids(operator, { status: 'dead', forwarder: 'b' }), [])
    t.same(await ids(operator, { status: 'retrying', forwarder: 'a' }), [waits.id])
    t.same(await ids(operator, { status: 'quarantined' }), [quarantined.id])
    t.equal(await operator.countQuarantined(), 1)
    t.same(await ids(operator, { status: 'pending' }), [pending.id])
    t.same(await ids(operator, { status: 'pending', forwarder: 'b' }), [pending.id])
    t.same(await ids(operator, { status: 'skipped' }), [])
    t.same(await ids(operator, { status: 'forwarded' }), [through.id, before.id], 'deliveries finished at every forwarder')
    t.same(await ids(operator, { status: 'forwarded', forwarder: 'b' }), [through.id, waits.id, gone.id], 'deliveries from before the forwarder began are not listed')
    t.match(await operator.forwarders({ except: ['b'] }), [{ name: 'a', cursor: 5, pending: 1, retrying: 1, dead: 1, breaker: 'closed', paused: false, leader: null, oldestReceivedAt: waits.receivedAt }])
    t.match(await operator.deadLetters({ limit: 10 }), [{ id: gone.id, forwarder: 'a', attempts: 1, reason: 'status 410', replaying: false }])
    t.match(await operator.deadLetterPage({ forwarder: 'a', limit: 10 }), { items: [{ id: gone.id }], next: undefined })
    t.same(await operator.unfinished({ forwarder: 'a', ids: ['not-stored', gone.id, waits.id, through.id, pending.id] }), [waits.id, pending.id])
    t.same(await operator.discard({ from: 'dead letters', forwarder: 'a', sequences: [2, 3] }), [{ sequence: 2, status: 'discarded' }, { sequence: 3, status: 'not there' }])
    t.same(await ids(operator, { status: 'discarded' }), [gone.id])
    t.same(await operator.discard({ from: 'quarantine', sequences: [5, 6] }), [{ sequence: 5, status: 'discarded' }, { sequence: 6, status: 'not there' }])
    t.equal(await operator.read(5), undefined)
    t.same(await operator.forget({ forwarder: 'a', limit: 1 }), { dropped: 1, done: false })
    t.same(await operator.forget({ forwarder: 'a', limit: 1 }), { dropped: 0, done: true })
    t.same((await operator.forwarders()).map(({ name }) => name), ['b'])
  })

  await t.test('a released delivery reaches every known forwarder once, and a replay is requested explicitly', async (t) => {
    const { append, feed, operator, journal } = await makeStore(t, server)
    let woken = 0
    const a = await feed('a', 'beginning', undefined, () => { woken++ })
    const filtered = await feed('c', 'beginning', JSON.stringify({ events: ['campaign.*'] }))
    const [quarantined, other] = [quarantinedDelivery(), newDelivery()]
    await append(quarantined, other)
    await settleAll(a, forwarded)
    await settleAll(filtered, forwarded)
    t.same((await operator.release({ sequences: [1], force: false })).map(({ status }) => status), ['still invalid'])
    const before = woken
    t.match(await operator.release({ sequences: [1, 2, 77], force: true }), [{ status: 'released', id: quarantined.id, verdict: 'invalid' }, { status: 'not in quarantine' }, { status: 'gone' }])
    await eventuallyTrue(() => woken > before, 'the feed to be woken')
    t.match(await settleAll(a, forwarded), [{ delivery: { id: quarantined.id, quarantined: false }, replay: false }], 'the running service forwards the released delivery')
    t.match(await operator.read(1), { state: 'released', damaged: false })

    const request = { sequences: [2, 1], forwarders: ['a', 'c'], finishedOnly: true, description: 'test\0', dryRun: false }
    t.match(await operator.replay({ ...request, dryRun: true }), { replays: 2, filtered: 2 })
    const again = woken
    t.match(await operator.replay(request), { replays: 2, passedOver: 0, filtered: 2, refused: { length: 0 } })
    await eventuallyTrue(() => woken > again, 'the feed to be woken')
    t.equal((await settleAll(a, forwarded)).length, 2)
    t.match(await operator.replay({ ...request, sequences: [99] }), { replays: 0, refused: [{ sequence: 99, why: 'gone' }] })
    t.match((await operator.read(2))?.attempts.map(({ forwarder, replay }) => [forwarder, replay]), [['a', false], ['c', false], ['a', true]])
    t.equal(await operator.isServed(), true)
    await operator.keepPaused({ forwarder: 'a', paused: true })
    await journal.close()
    t.equal(await operator.isServed(), false)
    t.match((await operator.forwarders())[0], { name: 'a', paused: true })
  })

  await t.test('a damaged record is found, and set aside by the deliver thread', async (t) => {
    const { append, feed, operator, sql } = await makeStore(t, server)
    await append(newDelivery(), newDelivery())
    await sql("UPDATE {s}.deliveries SET raw_body = raw_body || 'x' WHERE sequence = 1")
    t.match(await operator.verify({ after: 0, limit: 1 }), { checked: 1, upTo: 1, done: false, damaged: [{ sequence: 1, id: String }] })
    t.match(await operator.verify({ after: 1, limit: 5 }), { checked: 1, done: true, damaged: { length: 0 } })
    await t.rejects(operator.checkFiles(), { code: 'WRONG_STORE', message: 'pg_amcheck' })
    t.equal((await settleAll(await feed('a'), forwarded)).length, 1)
    await eventually(async () => (await operator.read(1))?.state === 'damaged' ? true : undefined, 'the damaged record to be set aside')
  })

  await t.test('retention removes finished old deliveries, and the keys that have outlived them', async (t) => {
    const { append, feed, operator, sql } = await makeStore(t, server)
    const a = await feed('a')
    await append(newDelivery({ receivedAt: 1000, dedupeKey: 'one', customerId: null }), newDelivery({ receivedAt: 2000, customerId: null }), quarantinedDelivery({ receivedAt: 1500 }), newDelivery({ receivedAt: now, customerId: null }))
    await settleAll(a, ({ delivery: { sequence } }) => sequence === 2 ? dead() : forwarded())
    await a.close()
    const limits = { now: 10_000, quarantinedBefore: -Infinity, receivedBefore: 5000, maxBytes: 0, keysBefore: 5000 }
    t.match(await operator.countPrunable(limits), { deliveries: 1, usedBytes: Number })
    t.match(await operator.prune({ ...limits, after: 0, limit: 100 }), { removed: 1, evicted: 0 })
    t.same(await sql('SELECT sequence::int FROM {s}.deliveries ORDER BY 1'), [{ sequence: 2 }, { sequence: 3 }, { sequence: 4 }])
    t.same(await sql('SELECT key FROM {s}.dedupe_keys'), [])
    t.match(await operator.prune({ ...limits, quarantinedBefore: 5000, after: 0, limit: 100 }), { removed: 1, evicted: 0 })
    t.match(await operator.prune({ ...limits, maxBytes: 1, after: 0, limit: 100 }), { removed: 1 }, 'a delivery above the size limit is removed too')
  })

  await t.test('records that a wrong clock dated in the future are removed with later ones, and do not hide records behind them', async (t) => {
    const { append, feed, operator, sql } = await makeStore(t, server)
    const a = await feed('a')
    const future = now + 365 * 86_400_000
    await append(...Array.from({ length: 10 }, (_, index) => newDelivery({ receivedAt: index < 6 ? future : index < 8 ? 1000 : now, customerId: null })))
    await settleAll(a, forwarded)
    await a.close()
    let after: number | undefined = 0
    while (after !== undefined) after = (await operator.prune({ now, quarantinedBefore: -Infinity, receivedBefore: 5000, maxBytes: 0, keysBefore: 5000, after, limit: 4 })).next
    t.same(await sql('SELECT sequence::int FROM {s}.deliveries ORDER BY 1'), [{ sequence: 9 }, { sequence: 10 }])
    await sql(`UPDATE {s}.deliveries SET received_at = ${future}`)
    t.match(await operator.prune({ now, quarantinedBefore: -Infinity, receivedBefore: 5000, maxBytes: 0, keysBefore: 5000, after: 0, limit: 4 }), { removed: 0, next: undefined }, 'deliveries dated in the future stay if no later one has a right time')
  })

  await t.test('a delivery that is about to be replayed is not removed at that moment, or the replay reports that it is gone', async (t) => {
    const { append, feed, operator, sql } = await makeStore(t, server)
    const a = await feed('a')
    await append(newDelivery({ receivedAt: 1000, customerId: null }))
    await settleAll(a, forwarded)
    let pruned: Promise<unknown> | undefined
    const queries = hookQueries({
      async query ({ text, send }) {
        if (/INSERT INTO \S+\.waiting/.test(text) && pruned === undefined) {
          pruned = operator.prune({ now: 10_000, quarantinedBefore: -Infinity, receivedBefore: 5000, maxBytes: 0, keysBefore: 5000, after: 0, limit: 100 })
          await Promise.race([pruned, pause(1000)])
        }
        return await send()
      },
      connecting: () => {}
    })
    t.teardown(queries.unhook)
    t.match(await operator.replay({ sequences: [1], forwarders: ['a'], finishedOnly: false, description: 'test', dryRun: false }), { replays: 1, refused: { length: 0 } })
    t.match(await pruned, { removed: 0 })
    t.same(await sql('SELECT sequence::int FROM {s}.deliveries'), [{ sequence: 1 }])
    t.equal((await settleAll(a, forwarded)).length, 1)
  })

  await t.test('an erasure leaves a tombstone, and no trace of the person', async (t) => {
    const { append, feed, operator, sql } = await makeStore(t, server)
    const a = await feed('a')
    const rawBody = Buffer.from('{"data":{"customer":{"id":"cust_gone","email":"gone@example.com"}}}')
    await append(newDelivery({ customerId: 'cust_gone', rawBody }), newDelivery({ customerId: 'cust_stays' }), newDelivery({ customerId: 'cust_gone', rawBody }))
    await settleAll(a, ({ delivery: { sequence } }) => sequence === 2 ? { ...dead(), reason: 'cust_gone is unknown' } : forwarded())
    const people = [{ by: 'customer' as const, digest: digestOf('cust_gone') }]
    const request = { people, after: 0, limit: 10, force: false }
    t.match(await operator.erase({ ...request, dryRun: true }), { erased: { length: 2 }, unfinished: { length: 0 }, done: true })
    t.match(await operator.erase({ ...request, dryRun: false }), { erased: { length: 2 }, mentions: Number, done: true })
    t.same(await operator.scrub({ whole: false }), { done: true })
    const left = JSON.stringify([await sql('SELECT *, convert_from(raw_body, \'UTF8\') AS body FROM {s}.deliveries'), await sql('SELECT * FROM {s}.dead_letters'), await sql('SELECT * FROM {s}.attempts')])
    t.notMatch(left, /cust_gone|gone@example/)
    t.match(await operator.read(1), { state: 'erased', damaged: false, bodyBytes: 0 })
    t.match(await operator.verify({ after: 0, limit: 10 }), { damaged: { length: 0 } })
  })

  await t.test('the outcome of an attempt on an event that was erased by force meanwhile is not kept', async (t) => {
    const { append, feed, operator, sql } = await makeStore(t, server)
    const results = [dead, retry, forwarded].map((result) => ({ ...result(), reason: 'cust_gone is unknown', detail: 'hello cust_gone' }))
    await append(...results.map(() => newDelivery({ customerId: null, rawBody: Buffer.from('{"data":{"customer":{"id":"cust_gone"}}}') })), newDelivery({ customerId: null }))
    const a = await feed('a')
    const claims: Claim[] = []
    await eventually(async () => {
      claims.push(...(await a.claim(10)).claims)
      return claims.length === 4 ? true : undefined
    }, 'all claims')
    const people = [{ by: 'customer' as const, digest: digestOf('cust_gone') }]
    t.match(await operator.erase({ people, after: 0, limit: 10, force: true, dryRun: false }), { erased: { length: 3 } })
    await a.settle(claims.map((claim, index) => ({ claim, result: results[index] ?? dead(), record })))
    t.same(await sql('SELECT sequence::int FROM {s}.waiting'), [])
    t.same(await sql('SELECT sequence::int, reason FROM {s}.dead_letters'), [{ sequence: 4, reason: 'status 410' }])
    t.same(await sql('SELECT sequence::int, outcome, detail FROM {s}.attempts ORDER BY sequence'), [
      { sequence: 1, outcome: 'dead', detail: null }, { sequence: 2, outcome: 'retry', detail: null }, { sequence: 3, outcome: 'forwarded', detail: null }, { sequence: 4, outcome: 'dead', detail: 'status 410' }
    ])
  })

  await t.test('a delivery that waits in memory is not forwarded after it was erased by force', async (t) => {
    const { append, feed, operator } = await makeStore(t, server)
    await append(newDelivery({ customerId: 'cust_a' }), newDelivery({ customerId: 'cust_gone' }), newDelivery({ customerId: 'cust_b' }))
    let told = 0
    const a = await feed('a', 'beginning', undefined, () => { told++ })
    const claims = await eventually(async () => {
      const { claims } = await a.claim(1)
      return claims.length > 0 ? claims : undefined
    }, 'the first claim')
    const before = told
    const people = [{ by: 'customer' as const, digest: digestOf('cust_gone') }]
    t.match(await operator.erase({ people, after: 0, limit: 10, force: true, dryRun: false }), { erased: { length: 1 } })
    await eventuallyTrue(() => told > before, 'the feed to be told of the erasure')
    await a.settle(claims.map((claim) => ({ claim, result: forwarded(), record })))
    t.match((await settleAll(a, forwarded)).map(({ delivery }) => delivery.customerId), ['cust_b'])
  })

  await t.test('an operator whose COMMIT gets no answer is told to look first, and the action is on the list', async (t) => {
    const { append, feed, operator, sql } = await makeStore(t, server)
    const [one, two, three, four, five] = [newDelivery(), newDelivery(), newDelivery(), quarantinedDelivery(), quarantinedDelivery()]
    await append(one, two, three, four, five)
    await settleAll(await feed('a'), ({ delivery: { id } }) => id === one.id ? forwarded() : dead())
    const admin = await buildAdmin(t, { operator })
    let lose = ''
    const queries = hookQueries({
      async query ({ client, text, send }) {
        if (lose === '' || !text.startsWith(lose)) return await send()
        lose = ''
        await send()
        ;(client as unknown as { readonly connection: { readonly stream: { readonly destroy: () => void } } }).connection.stream.destroy()
        throw new Error('Connection terminated unexpectedly')
      },
      connecting: () => {}
    })
    t.teardown(queries.unhook)
    const steps: ReadonlyArray<readonly [path: string, body: object, told: object]> = [
      [`/api/deliveries/${one.id}/replay`, { forwarders: ['a'] }, { action: 'replay', deliveryIds: [one.id], forwarders: ['a'] }],
      ['/api/dead-letters/replay', { forwarder: 'a', ids: [two.id] }, { action: 'replay', from: 'dead letters', deliveryIds: [two.id] }],
      ['/api/dead-letters/discard', { forwarder: 'a', ids: [three.id] }, { action: 'discard', from: 'dead letters', deliveryIds: [three.id] }],
      ['/api/quarantine/release', { ids: [four.id], force: true }, { action: 'release', deliveryIds: [four.id], force: true }],
      ['/api/quarantine/discard', { ids: [five.id] }, { action: 'discard', from: 'quarantine', deliveryIds: [five.id] }]
    ]
    for (const [path, body, told] of steps) {
      lose = 'COMMIT'
      const before = admin.log.find('operator action').length
      const { status, headers, text } = await admin.post(path, { body })
      t.equal(status, 503, path)
      t.match(text, /Look whether it was, before you ask again/)
      t.equal(headers['retry-after'], undefined, 'no Retry-After, because the action may have been done')
      t.match(admin.log.find('operator action').slice(before), [{ ...told, ended: 'unknown' }])
    }
    t.same(await sql('SELECT sequence::int FROM {s}.waiting ORDER BY sequence'), [{ sequence: 1 }, { sequence: 2 }, { sequence: 4 }], 'each action is done once')
    t.same(await sql('SELECT sequence::int FROM {s}.dead_letters'), [{ sequence: 2 }])
    t.same(await sql('SELECT sequence::int FROM {s}.deliveries ORDER BY sequence'), [{ sequence: 1 }, { sequence: 2 }, { sequence: 3 }, { sequence: 4 }])

    lose = 'SELECT set_config(\'lock_timeout\''
    const { status, headers } = await admin.post(`/api/deliveries/${two.id}/replay`, { body: { forwarders: ['a'] } })
    t.match({ status, headers }, { status: 503, headers: { 'retry-after': '5' } }, 'a connection lost before the commit has changed nothing')
    t.equal((await sql('SELECT 1 FROM {s}.waiting')).length, 3)
  })

  await t.test('a database without a journal, with an older or newer one, or of another program is refused', async (t) => {
    const { sql, schema } = await makeStore(t, server)
    const open = (name: string, url = server.url): Operator => {
      const operator = openPostgresOperator({ url, schema: name, judge: createJudge(), parseFilter })
      t.teardown(async () => { await operator.close() })
      return operator
    }
    await t.rejects(open('nothing').lastSequence(), { code: 'NO_STORE', message: 'There is no journal in the schema nothing' })
    await server.query('CREATE SCHEMA theirs; CREATE TABLE theirs.version (number int)')
    await t.rejects(open('theirs').lastSequence(), { code: 'WRONG_STORE', message: 'tables that tierhook has not made' })
    const away = await open('x', 'postgres://tierhook:secret-word@127.0.0.1:1/x').lastSequence().catch((error: unknown) => error)
    t.match(away, { code: 'STORE_BUSY', message: 'ECONNREFUSED' })
    t.notMatch(inspect(away, { depth: 9 }), 'secret-word')
    await sql('UPDATE {s}.version SET number = 99')
    await t.rejects(open(schema).lastSequence(), { code: 'WRONG_STORE', message: 'start the newer tierhook' })
    await sql('UPDATE {s}.version SET number = 0')
    await t.rejects(open(schema).lastSequence(), { code: 'NO_STORE' })
  })
})
