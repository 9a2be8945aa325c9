import { execFileSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { connect } from '../../src/journal/sqlite/binding.js'
import { readLines } from '../support/crash-rounds.js'
import { createFaultyDisk } from '../support/faulty-disk.js'
import { postEvent, readiness, startServiceProcess, type Answered, type ServiceProcess } from '../support/service-process.js'
import { mountedFolder } from '../support/small-disk.js'

// Run in parallel, because most of the time a disk stalls and the CPU is idle.
t.jobs = 4

/** A service on a disk that fails on order. */
async function setUp (t: Test) {
  const folder = t.testdir({ data: {} })
  const dataDir = join(folder, 'data')
  const disk = createFaultyDisk(folder, dataDir)
  const services: ServiceProcess[] = []
  t.teardown(async () => {
    disk.heal()
    for (const service of services) await service.kill('SIGKILL')
  })
  return {
    dataDir,
    disk,
    async start (): Promise<ServiceProcess> {
      const service = await startServiceProcess(dataDir, disk.environment)
      services.push(service)
      return service
    }
  }
}

function isRefusal (t: Test, { status, retryAfter, ms }: Answered): void {
  t.equal(status, 503)
  t.match(retryAfter, /^\d+$/)
  // The service's own limit is 5 s. The rest is for a slow machine.
  t.ok(ms < 9000, `answered after ${Math.round(ms)} ms, before the sender's timeout`)
}

/** The events in the journal. */
function stored (dataDir: string): string[] {
  const db = connect(join(dataDir, 'tierhook.db'))
  const rows = db.prepare('SELECT event_id AS id FROM deliveries ORDER BY sequence').all([]) as Array<{ id: string }>
  db.close()
  return rows.map(({ id }) => id)
}

async function eventually (what: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + 120_000; !await what();) {
    if (performance.now() > deadline) throw new Error('Timed out after two minutes')
    await sleep(50)
  }
}

async function accepted (service: ServiceProcess, eventId: string): Promise<boolean> {
  return (await postEvent(service.url, eventId)).status < 300
}

t.test('readiness follows the disk: full, not answering, well again', async (t) => {
  const { disk, start } = await setUp(t)
  const service = await start()
  t.equal((await readiness(service)).status, 200)
  disk.order('write ENOSPC 0')
  isRefusal(t, await postEvent(service.url, 'ev_full'))
  t.strictSame(await readiness(service), { status: 503, text: '{"status":"not ready","reasons":["journal cannot commit: the disk is full"]}' })
  disk.heal()
  await eventually(async () => (await readiness(service)).status === 200)

  disk.order('sync stall 8000 once ev_stalled')
  const stalled = postEvent(service.url, 'ev_stalled')
  await eventually(async () => (await readiness(service)).text.includes('the disk does not answer'))
  t.equal((await fetch(new URL('/health/live', service.url))).status, 200)
  isRefusal(t, await stalled)
  await eventually(async () => (await readiness(service)).status === 200)
  t.equal((await postEvent(service.url, 'ev_after')).status, 202)
})

t.test('a commit that stalls for 1 s is answered 202 and stored', async (t) => {
  const { dataDir, disk, start } = await setUp(t)
  const service = await start()
  disk.order('sync stall 1000 once ev_1s')
  const answered = await postEvent(service.url, 'ev_1s')
  t.equal(answered.status, 202)
  t.ok(answered.ms >= 950)
  await service.kill('SIGTERM')
  t.strictSame(stored(dataDir), ['ev_1s'])
})

for (const seconds of [8, 20]) {
  t.test(`a commit that stalls for ${seconds} s: 503 before the sender gives up, not stored, and the sender's retry is stored as new`, async (t) => {
    const { dataDir, disk, start } = await setUp(t)
    const service = await start()
    t.ok(await accepted(service, 'ev_before'))
    disk.order(`sync stall ${seconds * 1000} once ev_stalled`)
    const first = postEvent(service.url, 'ev_stalled')
    await eventually(() => disk.isTaken())
    const behind = postEvent(service.url, 'ev_behind')
    isRefusal(t, await first)
    isRefusal(t, await behind)
    const during = await postEvent(service.url, 'ev_during')
    isRefusal(t, during)
    t.ok(during.ms < 3000, 'the refusal is fast while the disk is known to hang')
    await eventually(async () => await accepted(service, 'ev_after'))
    t.strictSame(stored(dataDir), ['ev_before', 'ev_after'])
    t.equal((await postEvent(service.url, 'ev_stalled')).status, 202, 'the refused event was not stored')
    await service.kill('SIGTERM')
    const again = await start()
    t.equal((await postEvent(again.url, 'ev_behind')).status, 202)
    await eventually(() => readLines(dataDir).ids.length === 4)
    t.strictSame(readLines(dataDir).ids, ['ev_before', 'ev_after', 'ev_stalled', 'ev_behind'])
  })
}

t.test('killed during a stall, after a 503: the refused event is not in the journal after the next start', async (t) => {
  const { dataDir, disk, start } = await setUp(t)
  const service = await start()
  t.ok(await accepted(service, 'ev_before'))
  disk.order('sync stall 20000 once ev_refused')
  isRefusal(t, await postEvent(service.url, 'ev_refused'))
  await service.kill('SIGKILL')
  const again = await start()
  t.strictSame(stored(dataDir), ['ev_before'])
  t.equal((await postEvent(again.url, 'ev_refused')).status, 202)
  await eventually(() => readLines(dataDir).ids.length === 2)
  t.strictSame(readLines(dataDir).ids, ['ev_before', 'ev_refused'])
})

t.test('SIGTERM during a stall: the service still ends', async (t) => {
  const { disk, start } = await setUp(t)
  const service = await start()
  disk.order('sync stall 12000 once ev_1')
  isRefusal(t, await postEvent(service.url, 'ev_1'))
  const before = performance.now()
  await service.kill('SIGTERM')
  t.ok(performance.now() - before < 60_000)
})

t.test('a sync that fails once and then succeeds: 503, not stored, and the next success is a real one', async (t) => {
  const { dataDir, disk, start } = await setUp(t)
  const service = await start()
  disk.order('sync EIO 0 once ev_failed')
  isRefusal(t, await postEvent(service.url, 'ev_failed'))
  t.equal((await postEvent(service.url, 'ev_next')).status, 202)
  t.strictSame(stored(dataDir), ['ev_next'])
  await service.kill('SIGKILL')
  const again = await start()
  t.strictSame(stored(dataDir), ['ev_next'])
  t.equal((await postEvent(again.url, 'ev_failed')).status, 202)
})

t.test('killed right after a failed sync: the refused event is not stored', async (t) => {
  const { dataDir, disk, start } = await setUp(t)
  const service = await start()
  t.ok(await accepted(service, 'ev_before'))
  disk.order('sync EIO 0')
  isRefusal(t, await postEvent(service.url, 'ev_failed'))
  await service.kill('SIGKILL')
  disk.heal()
  await start()
  t.strictSame(stored(dataDir), ['ev_before'])
})

t.test('a sync that fails once, and a withdrawal that finds nothing to remove: the refused event is overwritten, and a kill does not bring it back', async (t) => {
  const { dataDir, disk, start } = await setUp(t)
  const service = await start()
  t.ok(await accepted(service, 'ev_before'))
  disk.order('sync EIO 0 once ev_failed')
  isRefusal(t, await postEvent(service.url, 'ev_failed'))
  await eventually(() => !existsSync(join(dataDir, 'withdrawn')))
  await service.kill('SIGKILL')
  await start()
  t.strictSame(stored(dataDir), ['ev_before'])
})

t.test('a read-only disk is reported for as long as it lasts, also after a withdrawal that finds nothing to remove', async (t) => {
  const { disk, start } = await setUp(t)
  const service = await start()
  disk.order('write EROFS 0')
  isRefusal(t, await postEvent(service.url, 'ev_refused'))
  // A withdrawal is attempted at once, and again after half a second.
  const told = new Set<number>()
  for (const until = performance.now() + 1500; performance.now() < until; await sleep(50)) told.add((await readiness(service)).status)
  t.strictSame([...told], [503])
  t.notMatch(service.log(), 'journal commits again')
  disk.heal()
  await eventually(async () => (await readiness(service)).status === 200)
})

for (const [name, order] of [['full', 'write ENOSPC 0'], ['read-only', 'write EROFS 0'], ['failing', 'write EIO 0']] as const) {
  t.test(`a disk that becomes ${name}: 503 at once, nothing stored, and the service recovers by itself`, async (t) => {
    const { dataDir, disk, start } = await setUp(t)
    const service = await start()
    t.ok(await accepted(service, 'ev_before'))
    disk.order(order)
    const refused = await postEvent(service.url, 'ev_refused')
    isRefusal(t, refused)
    t.ok(refused.ms < 4000, 'the refusal does not wait for the disk')
    disk.heal()
    await eventually(async () => await accepted(service, 'ev_after'))
    t.strictSame(stored(dataDir), ['ev_before', 'ev_after'])
    t.equal((await postEvent(service.url, 'ev_refused')).status, 202)
    await eventually(() => service.log().includes('journal commits again'))
  })
}

t.test('a really full file system: 503, a start on it does not crash, and it recovers when there is space', async (t) => {
  const mounted = mountedFolder(t, 'size=2m')
  const { dataDir: quotaDir, disk, start: startOnQuota } = await setUp(t)
  const dataDir = mounted === undefined ? quotaDir : join(mounted, 'data')
  if (mounted === undefined) t.comment('no right to mount: the disk is made to answer ENOSPC instead')
  mkdirSync(dataDir, { recursive: true })
  const start = async (): Promise<ServiceProcess> => mounted === undefined ? await startOnQuota() : await startServiceProcess(dataDir)
  const fill = (): void => {
    if (mounted === undefined) return disk.order('write ENOSPC 0')
    try {
      writeFileSync(join(mounted, 'filler'), Buffer.alloc(4 * 1024 * 1024))
    } catch {
      // The disk is full, as intended.
    }
  }
  const makeRoom = (): void => { mounted === undefined ? disk.heal() : rmSync(join(mounted, 'filler')) }

  fill()
  const service = await start()
  t.teardown(async () => { await service.kill('SIGKILL') })
  isRefusal(t, await postEvent(service.url, 'ev_full'))
  makeRoom()
  await eventually(async () => await accepted(service, 'ev_room'))
  await eventually(() => readLines(dataDir).ids.includes('ev_room'))
  fill()
  let refusedAt = 0
  for (let count = 0; refusedAt === 0 && count < 2000; count++) {
    const answered = await postEvent(service.url, `ev_${count}`)
    if (answered.status === 503) refusedAt = count
  }
  makeRoom()
  await eventually(async () => await accepted(service, 'ev_end'))
  const ids = stored(dataDir)
  t.ok(ids.includes('ev_end'))
  t.notOk(ids.includes(`ev_${refusedAt}`))
  await eventually(() => readLines(dataDir).ids.length === ids.length)
  t.strictSame(readLines(dataDir), { ids, torn: 0 })
  await service.kill('SIGTERM')
})

t.test('a start on a read-only file system answers 503, and recovers once it can be written to', async (t) => {
  const mounted = mountedFolder(t, 'size=2m')
  if (mounted === undefined) {
    t.comment('no right to mount: the disk is made to answer EROFS instead')
    const { disk, start } = await setUp(t)
    disk.order('write EROFS 0')
    const service = await start()
    isRefusal(t, await postEvent(service.url, 'ev_1'))
    disk.heal()
    return await eventually(async () => await accepted(service, 'ev_1'))
  }
  const first = await startServiceProcess(mounted)
  t.ok(await accepted(first, 'ev_before'))
  await first.kill('SIGTERM')
  execFileSync('mount', ['-o', 'remount,ro', mounted])
  const service = await startServiceProcess(mounted)
  t.teardown(async () => { await service.kill('SIGKILL') })
  isRefusal(t, await postEvent(service.url, 'ev_refused'))
  execFileSync('mount', ['-o', 'remount,rw', mounted])
  await eventually(async () => await accepted(service, 'ev_after'))
  t.strictSame(stored(mounted), ['ev_before', 'ev_after'])
  await eventually(() => readLines(mounted).ids.length === 2)
  await service.kill('SIGKILL')
})

t.test('a second service on the same data folder is refused, with the reason', async (t) => {
  const { dataDir, start } = await setUp(t)
  const service = await start()
  await t.rejects(startServiceProcess(dataDir), { message: /it ended with 1: .*Another tierhook serves the data folder/s })
  t.ok(await accepted(service, 'ev_1'))
  t.strictSame(stored(dataDir), ['ev_1'], 'the store can be read while the service runs')
})

t.test('pages that are damaged under a running service: the service repairs the database, and nothing readable is lost or twice in the file', async (t) => {
  const { dataDir, start } = await setUp(t)
  const events = Array.from({ length: 150 }, (_, index) => `ev_${index}`)
  const writing = await start()
  for (const eventId of events) t.ok(await accepted(writing, eventId))
  await eventually(() => readLines(dataDir).ids.length === events.length)
  await writing.kill('SIGTERM')
  const path = join(dataDir, 'tierhook.db')
  const db = connect(path)
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  const roots = db.prepare("SELECT name, rootpage FROM sqlite_master WHERE name IN ('deliveries', 'bodies')").all([]) as Array<{ rootpage: number }>
  db.close()
  t.equal(roots.length, 2)

  const service = await start()
  t.ok(await accepted(service, 'ev_running'))
  await eventually(() => readLines(dataDir).ids.includes('ev_running'))
  const file = openSync(path, 'r+')
  for (const { rootpage } of roots) writeSync(file, Buffer.from([0xFF]), 0, 1, (rootpage - 1) * 4096)
  closeSync(file)
  // A write of another process makes the service read its cached pages again.
  const other = connect(path, { lockTimeoutMs: 5000 })
  other.exec("INSERT INTO replays (requested_at, description) VALUES (1, 'nothing')")
  other.close()
  const more: string[] = []
  for (let count = 0; !service.log().includes('damaged database set aside') && count < 2000; count++) {
    const answered = await postEvent(service.url, `ev_more_${count}`)
    if (answered.status < 300) more.push(`ev_more_${count}`)
    else isRefusal(t, answered)
  }
  await eventually(async () => await accepted(service, 'ev_after'))
  await eventually(() => readLines(dataDir).ids.includes('ev_after'))
  const { ids, torn } = readLines(dataDir)
  t.equal(torn, 0)
  t.strictSame(new Set(ids), new Set([...events, 'ev_running', ...more, 'ev_after']))
  t.equal(ids.length, new Set(ids).size)
  t.ok(readdirSync(dataDir).some((name) => name.startsWith('tierhook.db.damaged-')))
})
