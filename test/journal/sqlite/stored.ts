import { readFileSync, writeFileSync } from 'node:fs'
import { connect } from '../../../src/journal/sqlite/binding.js'
import { pino } from 'pino'
import { v7 as uuidv7 } from 'uuid'
import { systemClock } from '../../../src/delivery/clock.js'
import type { Order } from '../../../src/delivery/forwarder.js'
import type { NewDelivery } from '../../../src/delivery/delivery.js'
import type { Claim, Feed, Settlement } from '../../../src/delivery/journal.js'
import { createFeed, type JournalFeed } from '../../../src/journal/feed.js'
import type { FeedStore } from '../../../src/journal/engine.js'
import { packAppends, unpackAppends, type AppendRecord } from '../../../src/journal/sqlite/packed-appends.js'
import { databasePath } from '../../../src/journal/sqlite/database.js'
import { createReader } from '../../../src/journal/sqlite/reader.js'
import { createWholeJournal } from '../../support/whole-journal.js'
import { createWriter } from '../../../src/journal/sqlite/writer.js'
import { sampleEnvelope } from '../../../src/voucherify/samples.js'

/** As much of tap's test as this uses. */
export interface Folder {
  testdir: () => string
  teardown: (fn: () => unknown) => void
}

export const now = Date.parse('2026-03-01T12:00:00Z')

let made = 0

export function newDelivery (fields: Partial<NewDelivery> = {}): NewDelivery {
  const eventType = 'customer.loyalty.tier.left'
  const index = made++
  return {
    id: uuidv7(),
    receivedAt: now + index * 1000,
    eventType,
    verdict: 'valid',
    faults: [],
    quarantined: false,
    dedupeKey: null,
    sourceObject: 'distribution',
    sourceId: 'distr_1',
    eventId: `ev_${index}`,
    projectId: 'proj_1',
    customerId: 'cust_1',
    campaignId: 'camp_1',
    headers: { 'content-type': 'application/json' },
    rawBody: Buffer.from(JSON.stringify(sampleEnvelope(eventType, { index, seed: 'stored', now: new Date(now) }))),
    ...fields
  }
}

/** Deliveries as they get to the writer. */
export function recordsOf (...deliveries: readonly NewDelivery[]): readonly AppendRecord[] {
  return unpackAppends(packAppends(deliveries))
}

/** An event that does not match its schema, as it lies in quarantine. */
export function quarantinedDelivery (fields: Partial<NewDelivery> = {}): NewDelivery {
  return newDelivery({
    verdict: 'invalid',
    quarantined: true,
    faults: [{ pointer: '/data/customer', message: 'is required' }],
    rawBody: Buffer.from('{"event":{"type":"customer.loyalty.tier.left"},"data":{"n":1.10}}'),
    ...fields
  })
}

/** A data folder with a journal at work on it, until `close` or until the test is over. */
export async function openJournal (t: Folder, dataDir = t.testdir()) {
  const journal = createWholeJournal({
    dataDir,
    logger: pino({ level: 'silent' }),
    clock: systemClock,
    dedupeWindowMs: 86_400_000,
    retention: { maxAgeMs: 365 * 86_400_000, maxBytes: 0 }
  })
  t.teardown(journal.close)
  await journal.start()
  return {
    dataDir,
    append: async (...deliveries: NewDelivery[]) => { for (const delivery of deliveries) await journal.append(delivery) },
    feed: async (forwarder: string, options: FeedSettings = {}) => await journal.openFeed({ forwarder, order: 'customer', start: 'beginning', onWork: () => {}, ...options }),
    close: journal.close
  }
}

interface FeedSettings {
  order?: Order
  start?: 'now' | 'beginning'
  onWork?: () => void
  filter?: string | undefined
}

/** The same journal without its threads, its lock and its group commit, which take their time: for what only has to be in the store. */
export function makeStore (t: Folder, dataDir = t.testdir()) {
  const path = databasePath(dataDir)
  const writer = createWriter(Date.now)
  const reader = createReader(Date.now)
  writer.open({ path, dedupeWindowMs: 86_400_000, withdrawn: [] })
  reader.open(path)
  let last = 0
  const close = (): void => {
    // The last to close copies the log into the database, and the reader may not.
    reader.close()
    writer.close()
  }
  t.teardown(close)
  const store: FeedStore = {
    readAfter: async (after, limit, limitBytes) => reader.readAfter({ after, visible: last, limit, limitBytes }),
    readMany: async (sequences) => new Map(reader.readMany(sequences).deliveries.map(delivery => [delivery.sequence, delivery])),
    readDue: async (forwarder, kind, options) => reader.readDue(forwarder, kind, { ...options, visible: last }),
    readLanes: async (...request) => reader.readLanes(...request),
    readMarks: async (...request) => reader.readMarks(...request),
    commit: async (progress) => { writer.commit({ withdraw: [], progress: [progress], appends: [] }) },
    giveUp: async () => {},
    monotonic: systemClock.monotonic
  }
  return {
    dataDir,
    append: (...deliveries: NewDelivery[]) => {
      for (const result of writer.commit({ withdraw: [], progress: [], appends: recordsOf(...deliveries) }).appends) if (typeof result === 'number') last = result
    },
    feed: (forwarder: string, { start = 'beginning', ...options }: FeedSettings = {}) => createFeed(
      { forwarder, order: 'customer', start, onWork: () => {}, ...options }, { term: 1, ...writer.registerFeed({ forwarder, cursor: start === 'now' ? last : 0, filter: options.filter }) }, store
    ),
    close
  }
}

export const record = { startedAt: now, durationMs: 12.5 }

/** Claims what is due and settles each claim as `result` says; resolves with the claims. */
export async function settleAll (feed: Feed | JournalFeed, result: (claim: Claim) => Settlement['result']): Promise<readonly Claim[]> {
  const settled: Claim[] = []
  // There is nobody else to tell that replays were asked for.
  if ('wakeReplays' in feed) feed.wakeReplays()
  if ('wake' in feed) feed.wake()
  for (;;) {
    const { claims } = await feed.claim(100)
    if (claims.length === 0) return settled
    settled.push(...claims)
    await feed.settle(claims.map(claim => {
      const outcome = result(claim)
      return outcome.status === 'skipped' || outcome.status === 'returned' ? { claim, result: outcome } : { claim, result: outcome, record }
    }))
  }
}

export const forwarded = (): Settlement['result'] => ({ status: 'forwarded', detail: 'status 200' })
export const dead = (): Settlement['result'] => ({ status: 'dead', reason: 'status 410' })
export const retry = (): Settlement['result'] => ({ status: 'retry', reason: 'status 503', delayMs: 3_600_000 })

const PAGE_BYTES = 4096
/** Where an inner page of a tree has the list of its cells (https://www.sqlite.org/fileformat2.html#b_tree_pages). */
const CELLS_AT = 12

/** Destroys one of the pages that the root of the table of deliveries leads to, counted from 0. Nobody may have the database open. */
export function destroyPage (dataDir: string, index: number): void {
  const path = databasePath(dataDir)
  const db = connect(path)
  const { root } = db.prepare("SELECT rootpage AS root FROM sqlite_master WHERE name = 'deliveries'").get([]) as { root: number }
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  db.close()
  const bytes = readFileSync(path)
  const rootAt = (root - 1) * PAGE_BYTES
  const page = bytes.readUInt32BE(rootAt + bytes.readUInt16BE(rootAt + CELLS_AT + 2 * index))
  bytes.fill(0xFF, (page - 1) * PAGE_BYTES, page * PAGE_BYTES)
  writeFileSync(path, bytes)
}
