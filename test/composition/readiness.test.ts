import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { systemClock } from '../../src/delivery/clock.js'
import { createWholeJournal } from '../support/whole-journal.js'
import { createDiskSpace } from '../../src/composition/disk-space.js'
import { createReadiness, type ReadinessOptions } from '../../src/composition/readiness.js'
import { captureLog } from '../support/capture-log.js'
import { latch } from '../support/latch.js'
import { localThreads } from '../support/local-threads.js'
import { sampleNewDelivery } from '../support/sample-delivery.js'

function setUp (options: Partial<ReadinessOptions> = {}) {
  const state = { now: 0, probes: 0, why: undefined as string | undefined, trouble: undefined as string | undefined, open: true, stopping: false, free: 1000 as number | undefined }
  const readiness = createReadiness({
    isStopping: () => state.stopping,
    journal: {
      isOpen: () => state.open,
      trouble: () => state.trouble,
      waitsFor: () => undefined,
      probe: async () => {
        state.probes++
        return state.why
      }
    },
    freeBytes: async () => state.free,
    floorBytes: 100,
    monotonic: () => state.now,
    ...options
  })
  return { state, readiness }
}

t.test('a recent commit is enough for readiness, and otherwise one commit is made for all who ask', async (t) => {
  const { state, readiness } = setUp()
  for (let count = 0; count < 3; count++) t.strictSame(await readiness.reasons(), [])
  t.equal(state.probes, 1)
  state.now = 4999
  t.strictSame(await readiness.reasons(), [])
  t.equal(state.probes, 1, 'the first probe counts as a recent commit')
  readiness.committed({ deliveries: 1, ms: 1 })
  state.now = 9000
  t.strictSame(await readiness.reasons(), [])
  t.equal(state.probes, 1)
  state.now = 10_000
  await Promise.all([readiness.reasons(), readiness.reasons(), readiness.reasons()])
  t.equal(state.probes, 2)
})

t.test('a failed commit is checked at once, and retried at most once a second', async (t) => {
  const { state, readiness } = setUp()
  readiness.committed({ deliveries: 1, ms: 1 })
  state.now = 1000
  state.why = 'the disk is full'
  readiness.committed({ deliveries: 1, ms: 1, error: new Error('full') })
  t.strictSame(await readiness.reasons(), ['journal cannot commit: the disk is full'])
  t.strictSame(await readiness.reasons(), ['journal cannot commit: the disk is full'])
  t.equal(state.probes, 1)
  state.why = undefined
  state.now = 2001
  t.strictSame(await readiness.reasons(), [])
  readiness.committed({ deliveries: 0, ms: 1, progressError: new Error('damaged') })
  t.strictSame(await readiness.reasons(), [])
})

t.test('a disk that does not answer is reported in time, however many ask', async (t) => {
  let probes = 0
  const known = { waitsFor: undefined as string | undefined }
  const stall = latch()
  const { readiness } = setUp({
    monotonic: () => performance.now(),
    limitMs: 50,
    journal: {
      isOpen: () => true,
      trouble: () => undefined,
      waitsFor: () => known.waitsFor,
      async probe () {
        probes++
        await stall.opened
        return undefined
      }
    }
  })
  const answers = await Promise.all(Array.from({ length: 20 }, async () => await readiness.reasons()))
  t.strictSame(new Set(answers.flat()), new Set(['journal cannot commit: the disk does not answer']))
  t.strictSame(await readiness.reasons(), ['journal cannot commit: the disk does not answer'])
  known.waitsFor = 'another program holds the database locked'
  t.strictSame(await readiness.reasons(), ['journal cannot commit: another program holds the database locked'])
  t.equal(probes, 1)
  stall.open()
})

t.test('too little space, a closed journal and stopping are reasons; an unknown value is not', async (t) => {
  const { state, readiness } = setUp()
  state.free = 99
  t.strictSame(await readiness.reasons(), ['disk space below DISK_FREE_MIN_BYTES: 99 bytes free, 100 wanted'])
  state.open = false
  t.match(await readiness.reasons(), ['journal not open: it is being opened', /^disk space/])
  state.trouble = 'the disk is full'
  t.match(await readiness.reasons(), ['journal not open: the disk is full', /^disk space/])
  state.stopping = true
  t.strictSame(await readiness.reasons(), ['stopping'])
  Object.assign(state, { stopping: false, open: true, free: undefined })
  t.strictSame(await readiness.reasons(), [])
  const unbounded = setUp({ floorBytes: 0, freeBytes: async () => 0 })
  t.strictSame(await unbounded.readiness.reasons(), [])
})

t.test('the journal\'s probe writes and syncs, changes nothing, and gives the reason if it fails', async (t) => {
  const dataDir = t.testdir()
  const threads = localThreads()
  const journal = createWholeJournal({
    dataDir, logger: captureLog().logger, clock: systemClock, dedupeWindowMs: 1000, retention: { maxAgeMs: 1e9, maxBytes: 0 }, threads
  })
  t.teardown(journal.close)
  t.equal(await journal.probe(), 'it is being opened')
  await journal.start()
  t.equal(await journal.probe(), undefined)
  t.equal((await journal.append(sampleNewDelivery())).status, 'stored')
  t.equal(await journal.probe(), undefined)
  threads.beforeWrite = async () => { throw Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' }) }
  t.equal(await journal.probe(), 'the disk is full')
  threads.beforeWrite = async () => {}
  t.equal(await journal.probe(), undefined)
})

t.test('the disk and the store are measured, and a missing folder is not', async (t) => {
  const folder = mkdtempSync(join(t.testdir(), 'data-'))
  writeFileSync(join(folder, 'tierhook.db'), Buffer.alloc(5000))
  writeFileSync(join(folder, 'tierhook.db-wal'), Buffer.alloc(300))
  const space = createDiskSpace({ dataDir: folder, monotonic: () => 0 })
  t.ok((await space.freeBytes() ?? 0) > 0)
  t.equal(await space.storeBytes(), 5300)
  rmSync(folder, { recursive: true })
  t.equal(await space.storeBytes(), 5300, 'the size is cached for a while')
  const gone = createDiskSpace({ dataDir: join(folder, 'gone'), monotonic: () => 0 })
  t.equal(await gone.freeBytes(), undefined)
})
