import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { connect } from '../../../src/journal/sqlite/binding.js'
import { systemClock } from '../../../src/delivery/clock.js'
import type { NewDelivery } from '../../../src/delivery/delivery.js'
import { createPump, type Pump } from '../../../src/delivery/pump.js'
import type { Forwarder } from '../../../src/delivery/forwarder.js'
import { createFileForwarder } from '../../../src/forwarders/file/file-forwarder.js'
import { databasePath } from '../../../src/journal/sqlite/database.js'
import { createWholeJournal, type WholeJournal } from '../../support/whole-journal.js'
import { createWriter } from '../../../src/journal/sqlite/writer.js'
import { captureLog, type CapturedLog } from '../../support/capture-log.js'
import { seeded } from '../../support/crash-rounds.js'
import { localThreads } from '../../support/local-threads.js'
import { sampleNewDelivery } from '../../support/sample-delivery.js'
import { recordsOf } from './stored.js'

const DAY_MS = 86_400_000
const PAGE_BYTES = 4096
const OFFSETS_A_PAGE = 2
/** A little more than the rows that one page can hold. */
const ROWS_A_PAGE = 30

interface Running {
  readonly journal: WholeJournal
  readonly log: CapturedLog
  /** Ids that the second forwarder, which keeps lanes, has received. */
  readonly got: string[]
  readonly idle: () => Promise<void>
  readonly close: () => Promise<void>
}

/** A journal with the file forwarder and a forwarder that keeps lanes, like in a service, but without threads and HTTP. */
async function run (dataDir: string, options: { readonly forwards: boolean, readonly refuses?: (id: string) => boolean }): Promise<Running> {
  const log = captureLog()
  const journal = createWholeJournal({
    dataDir, logger: log.logger, clock: systemClock, dedupeWindowMs: 7 * DAY_MS, retention: { maxAgeMs: 30 * DAY_MS, maxBytes: 0 }, threads: localThreads()
  })
  const got: string[] = []
  const lanes: Forwarder = {
    name: 'lanes',
    order: 'customer',
    concurrency: 8,
    batchSize: 1,
    timeoutMs: 5000,
    async forward ([attempt]) {
      const id = attempt?.delivery.id ?? ''
      if (options.refuses?.(id) === true) return { outcomes: [Number(attempt?.delivery.customerId?.slice(5)) % 4 === 0 ? { status: 'dead', reason: 'no' } : { status: 'retry', reason: 'down' }] }
      got.push(id)
      return { outcomes: [{ status: 'forwarded' }] }
    }
  }
  const file = createFileForwarder({ name: 'file', path: join(dataDir, 'events.ndjson'), rotateBytes: 0, keepDays: 0, now: Date.now, logger: log.logger })
  const pumps: Pump[] = options.forwards
    ? [file, lanes].map((forwarder) => createPump({
        forwarder,
        journal,
        start: 'now',
        accepts: () => true,
        retry: { minMs: 1, maxMs: 5, giveUpMs: DAY_MS },
        breakerThreshold: 1000,
        clock: systemClock,
        random: () => 1,
        logger: log.logger
      }))
    : []
  await journal.start()
  for (const pump of pumps) await pump.start()
  return {
    journal,
    log,
    got,
    async idle () { for (const pump of pumps) await pump.idle() },
    async close () {
      for (const pump of pumps) await pump.close(AbortSignal.abort())
      await journal.close()
    }
  }
}

function fileText (dataDir: string): string {
  const path = join(dataDir, 'events.ndjson')
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

/** Sequences that the journal has reported as lost or damaged. */
function reported (log: CapturedLog): Set<unknown> {
  return new Set([...log.find('records lost to damage'), ...log.find('damaged records set aside')].flatMap(({ sequences }) => sequences as number[]))
}

const sent = Array.from({ length: 120 }, (_, index) => sampleNewDelivery({ index, quarantined: index % 17 === 5, verdict: index % 17 === 5 ? 'invalid' : 'valid', headers: { 'user-agent': 'x'.repeat(100) } }))
const wanted = sent.map((delivery, index) => ({ ...delivery, sequence: index + 1 })).filter(({ quarantined }) => !quarantined)

/** A small database with rows in every table: 60 deliveries are finished, those of some customers wait or are dead, 60 are pending. */
async function makeTemplate (dataDir: string): Promise<{ readonly before: ReadonlySet<string>, readonly dead: ReadonlySet<string> }> {
  const refused = new Set(wanted.slice(0, 50).filter((_, index) => index % 2 === 0).map(({ id }) => id))
  const first = await run(dataDir, { forwards: true, refuses: (id) => refused.has(id) })
  for (const delivery of sent.slice(0, 60)) await first.journal.append(delivery)
  await first.journal.append({ ...sampleNewDelivery(), dedupeKey: sent[0]?.dedupeKey ?? null })
  while (first.got.length + refused.size < wanted.filter(({ sequence }) => sequence <= 60).length) await first.idle()
  await first.close()
  const second = await run(dataDir, { forwards: false })
  for (const delivery of sent.slice(60)) await second.journal.append(delivery)
  await second.close()
  const dead = new Set(wanted.filter(({ id, customerId }) => refused.has(id) && Number(customerId?.slice(5)) % 4 === 0).map(({ id }) => id))
  return { before: new Set(first.got), dead }
}

t.test('one flipped byte on any page neither loses all later records nor stops the start', async (t) => {
  const folder = t.testdir()
  const template = join(folder, 'template')
  mkdirSync(template)
  const { before, dead } = await makeTemplate(template)
  const db = connect(join(template, 'tierhook.db'))
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  db.close()
  const bytes = readFileSync(join(template, 'tierhook.db'))
  const random = seeded(11)
  const pages = bytes.length / PAGE_BYTES
  const begun = performance.now()
  let salvages = 0
  let lostMost = 0
  const duplicates: string[] = []

  for (let page = 1; page <= pages; page++) {
    for (let round = 0; round < OFFSETS_A_PAGE; round++) {
      // One byte of the page's header and pointers, and one of its content.
      const within = round === 0 ? Math.floor(random() * random() * 60) : contentOffset(bytes, page, random())
      // A damaged schema version cannot be told apart from the version of a newer tierhook.
      if (page === 1 && within === 63) continue
      const where = `page ${page}, byte ${within}`
      const dataDir = join(folder, 'data')
      rmSync(dataDir, { recursive: true, force: true })
      mkdirSync(dataDir)
      copyFileSync(join(template, 'events.ndjson'), join(dataDir, 'events.ndjson'))
      const damaged = Buffer.from(bytes)
      const at = (page - 1) * PAGE_BYTES + within
      damaged.writeUInt8(damaged.readUInt8(at) ^ (1 << Math.floor(random() * 8)), at)
      writeFileSync(join(dataDir, 'tierhook.db'), damaged)
      try {
        const result = await oneRound(dataDir, { before, dead })
        if (result.faults.length > 0) t.fail(`${where}: ${result.faults.length} faults: ${result.faults.slice(0, 6).join('; ')}`)
        salvages += result.salvaged ? 1 : 0
        lostMost = Math.max(lostMost, result.lost)
        if (result.duplicates > 0) duplicates.push(where)
      } catch (error) {
        t.fail(`${where}: ${error instanceof Error ? error.stack : String(error)}`)
      }
    }
  }
  t.ok(salvages > pages / 4, `${salvages} salvages for ${pages} pages`)
  t.ok(lostMost <= ROWS_A_PAGE, `at most ${lostMost} records were lost`)
  t.comment(`${pages} pages, ${salvages} salvages, ${lostMost} lost at most, in ${Math.round(performance.now() - begun)} ms; file lines twice where the position was lost: ${duplicates.join(', ')}`)
})

t.test('an event whose record was set aside is stored again when it comes again, and is then there once', (t) => {
  const writer = createWriter(Date.now)
  writer.open({ path: databasePath(t.testdir()), dedupeWindowMs: DAY_MS, withdrawn: [] })
  t.teardown(() => { writer.close() })
  const append = (): unknown => writer.commit({ withdraw: [], progress: [], appends: recordsOf(sampleNewDelivery({ dedupeKey: 'same' })) }).appends[0]
  t.equal(append(), 1)
  t.match(append(), { verdict: 'valid' }, 'the event is already stored')
  writer.setAside([1])
  t.equal(append(), 2, 'an event whose record was set aside is stored again')
  t.match(append(), { verdict: 'valid' })
  t.end()
})

function contentOffset (bytes: Buffer, page: number, share: number): number {
  const start = bytes.readUInt16BE((page - 1) * PAGE_BYTES + (page === 1 ? 105 : 5))
  return start > 0 && start < PAGE_BYTES ? start + Math.floor(share * (PAGE_BYTES - start)) : Math.floor(share * PAGE_BYTES)
}

async function oneRound (dataDir: string, { before, dead }: { readonly before: ReadonlySet<string>, readonly dead: ReadonlySet<string> }) {
  const service = await run(dataDir, { forwards: true })
  const faults: string[] = []
  const fresh: NewDelivery[] = [sampleNewDelivery({ index: 900 }), sampleNewDelivery({ index: 901 })]
  try {
    for (const delivery of fresh) {
      const deadline = performance.now() + 60_000
      for (;;) {
        // A salvage may be under way, so the sender retries.
        const answer = await service.journal.append(delivery).catch((error: unknown) => error)
        if (!(answer instanceof Error)) break
        if (performance.now() > deadline) throw answer
        await new Promise((resolve) => { setTimeout(resolve, 5) })
      }
    }
    const deadline = performance.now() + 60_000
    const last = fresh[1]?.id ?? ''
    while (!(service.got.includes(last) && fileText(dataDir).includes(last)) && performance.now() < deadline) {
      await service.idle()
      await new Promise((resolve) => { setTimeout(resolve, 2) })
    }
    await service.idle()
  } finally {
    await service.close()
  }
  const lost = reported(service.log)
  const text = fileText(dataDir)
  const ids = text.split('\n').slice(0, -1).map((line) => (JSON.parse(line) as { id: string }).id)
  const known = new Set([...sent, ...fresh].map(({ id }) => id))
  for (const { id, sequence } of wanted) {
    if (lost.has(sequence)) continue
    if (!ids.includes(id)) faults.push(`${sequence} is not in the file`)
    if (!before.has(id) && !service.got.includes(id) && !dead.has(id)) faults.push(`${sequence} did not reach the forwarder with lanes`)
  }
  for (const { id } of fresh) if (!ids.includes(id) || !service.got.includes(id)) faults.push('a new event was not forwarded')
  for (const id of [...ids, ...service.got]) if (!known.has(id)) faults.push(`${id} was never sent`)
  if (text.includes('\uFFFD')) faults.push('a damaged body was forwarded')
  const duplicates = ids.length - new Set(ids).size
  const forwardersLost = service.log.find('forwarders lost to damage: those that are not known any more begin with the oldest delivery').length > 0
  if (duplicates > 0 && !forwardersLost) faults.push(`the file has ${duplicates} lines twice`)
  const salvaged = readdirSync(dataDir).some((name) => name.includes('.damaged-'))
  return { faults, duplicates, salvaged, lost: lost.size }
}
