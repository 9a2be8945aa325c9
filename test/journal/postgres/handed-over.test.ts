import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { systemClock } from '../../../src/delivery/clock.js'
import type { AcceptEvents, FreshPage } from '../../../src/journal/engine.js'
import { createFeeds } from '../../../src/journal/feeds.js'
import { createPostgresAcceptEngine } from '../../../src/journal/postgres/accept-engine.js'
import { createPostgresForwardEngine } from '../../../src/journal/postgres/forward-engine.js'
import type { StoredBatch } from '../../../src/journal/postgres/pack-deliveries.js'
import { captureLog } from '../../support/capture-log.js'
import { eventuallyTrue } from '../../support/eventually.js'
import { noPostgres, startPostgres } from '../../support/postgres-server.js'
import { sampleNewDelivery } from '../../support/sample-delivery.js'

const LIMIT_BYTES = 1e9

t.test('events that a replica stored are handed to its forwarders exactly as they would be read', { skip: noPostgres }, async (t) => {
  const { url } = await startPostgres(t)
  const { logger } = captureLog()
  const options = { url, schema: 'handed', member: { id: randomUUID(), name: 'one' }, logger, clock: systemClock, dedupeWindowMs: 1e9, monotonic: systemClock.monotonic, now: systemClock.now }
  const batches: StoredBatch[] = []
  const pages: FreshPage[] = []
  const nothing = (): void => {}
  const accepting = createPostgresAcceptEngine({ ...options, onStored: (batch) => { batches.push(structuredClone(batch)) } })
  const forwarding = createPostgresForwardEngine({ ...options, connections: 1, forwarders: ['log'], atHome: [] })
  const events: AcceptEvents = { onCommit: nothing, onAvailable: nothing, onUnavailable: nothing, onDefect: (error) => { t.fail(String(error)) } }
  accepting.listen(events, new AbortController().signal)
  forwarding.listen({ onAvailable: nothing, onMore: (page) => { if (page !== undefined) pages.push(page) }, onReplays: nothing, onLost: nothing, onYield: nothing, onPaused: nothing })
  t.teardown(async () => {
    await forwarding.close()
    await accepting.close(1000)
  })
  await accepting.open()
  await forwarding.lead({ forwarder: 'log', start: 'beginning' })

  const twice = sampleNewDelivery({ id: randomUUID(), dedupeKey: 'twice' })
  await accepting.append([
    sampleNewDelivery({ id: randomUUID(), dedupeKey: null, rawBody: Buffer.from('{"first":"ö"}') }),
    twice,
    { ...twice, id: randomUUID() },
    sampleNewDelivery({ id: randomUUID(), dedupeKey: null, quarantined: true }),
    sampleNewDelivery({ id: randomUUID(), dedupeKey: null, customerId: 'cust_\\ "1"', faults: [] })
  ], 4000)
  await accepting.append([{ ...twice, id: randomUUID() }, sampleNewDelivery({ id: randomUUID(), dedupeKey: null })], 4000)

  for (const batch of batches) forwarding.stored(batch)
  t.strictSame(pages.map(({ after, found }) => [after, found.upTo, found.deliveries.length]), [[0, 5, 3], [5, 7, 1]])
  const { deliveries, upTo } = await forwarding.readAfter(0, 100, LIMIT_BYTES)
  t.equal(upTo, 7)
  // Duplicates are counted after the first delivery was stored.
  t.strictSame(pages.flatMap(({ found }) => found.deliveries), deliveries.map((delivery) => ({ ...delivery, duplicates: 0 })))
})

t.test('events that another replica stored behind a handed-over page are forwarded too, also if both arrive late', { skip: noPostgres }, async (t) => {
  const { url } = await startPostgres(t)
  const { logger } = captureLog()
  const { monotonic, now } = systemClock
  const nothing = (): void => {}
  const replica = (name: string, onStored: (batch: StoredBatch) => void) => {
    const options = { url, schema: 'behind', member: { id: randomUUID(), name }, logger, clock: systemClock, dedupeWindowMs: 1e9 }
    const accepting = createPostgresAcceptEngine({ ...options, onStored })
    accepting.listen({ onCommit: nothing, onAvailable: nothing, onUnavailable: nothing, onDefect: (error) => { t.fail(String(error)) } }, new AbortController().signal)
    return { options, accepting }
  }
  const batches: StoredBatch[] = []
  const one = replica('one', (batch) => { batches.push(batch) })
  const other = replica('other', nothing)
  const forwarding = createPostgresForwardEngine({ ...one.options, monotonic, now, connections: 1, forwarders: ['slow'], atHome: [] })
  const feeds = createFeeds({ engine: forwarding, logger, monotonic })
  t.teardown(async () => {
    await feeds.close()
    await one.accepting.close(1000)
    await other.accepting.close(1000)
  })
  await one.accepting.open()
  await other.accepting.open()
  let told = 0
  const feed = await feeds.openFeed({ forwarder: 'slow', order: 'none', start: 'beginning', onWork: () => { told++ } })
  t.strictSame((await feed.claim(1)).claims, [])

  // The forwarder hears of both while it forwards another delivery, and the message of the accept thread comes last.
  const event = sampleNewDelivery({ id: randomUUID(), dedupeKey: null })
  await one.accepting.append([event], 4000)
  await other.accepting.append([{ ...event, id: randomUUID() }], 4000)
  await eventuallyTrue(() => told > 0, 'the poll for events stored by other replicas')
  // The first poll may have come between the two.
  await sleep(250)
  for (const batch of batches) forwarding.stored(batch)
  const sequences: number[] = []
  for (let times = 0; times < 2; times++) {
    const { claims } = await feed.claim(1)
    sequences.push(...claims.map(({ delivery }) => delivery.sequence))
    await feed.settle(claims.map((claim) => ({ claim, result: { status: 'forwarded' } })))
  }
  t.strictSame(sequences, [1, 2])
})
