import { spawnSync } from 'node:child_process'
import { copyFileSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readLines } from '../support/crash-rounds.js'
import { eventually } from '../support/eventually.js'
import { mountFileOver } from '../support/mount-point.js'
import { plainNode, program } from '../support/program.js'
import { postEvent, startServiceProcess, type ServiceProcess } from '../support/service-process.js'

const STAY = 'event file has lines that the database does not know: they stay'

function setUp (t: Test, environment: Readonly<Record<string, string>> = {}) {
  const dataDir = join(t.testdir({ data: {} }), 'data')
  const services: ServiceProcess[] = []
  t.teardown(async () => { for (const service of services) await service.kill('SIGKILL') })
  return {
    dataDir,
    async start (more: Readonly<Record<string, string>> = {}): Promise<ServiceProcess> {
      const service = await startServiceProcess(dataDir, { ...environment, ...more })
      services.push(service)
      return service
    },
    /** Sends these events, and waits until they are in the file. */
    async send (service: ServiceProcess, from: number, to: number): Promise<void> {
      for (let number = from; number <= to; number++) t.equal((await postEvent(service.url, `ev_${number}`)).status, 202)
      await eventually(() => readLines(dataDir).ids.includes(`ev_${to}`) ? true : undefined, `event ${to} to be in the file`)
    },
    databaseFiles: () => readdirSync(dataDir).filter((name) => name.startsWith('tierhook.db')),
    eventFiles: () => readdirSync(dataDir).filter((name) => /^events\.ndjson(?:\.\d{8}T.*)?$/.test(name))
  }
}

const numbered = (from: number, to: number): string[] => Array.from({ length: to - from + 1 }, (_, index) => `ev_${from + index}`)

t.test('after a restore, every line newer than the backup stays in the event files, none is there twice, and the log says so', async (t) => {
  const { dataDir, start, send, databaseFiles, eventFiles } = setUp(t, { FILE_FORWARDER_ROTATE_BYTES: '3000' })
  const first = await start()
  await send(first, 1, 8)
  await first.kill('SIGTERM')
  const backup = join(dataDir, '../backup')
  mkdirSync(backup)
  for (const name of databaseFiles()) copyFileSync(join(dataDir, name), join(backup, name))
  const second = await start()
  await send(second, 9, 72)
  await second.kill('SIGTERM')
  const before = eventFiles()
  t.ok(before.length >= 4, `${before.length} files`)

  for (const name of databaseFiles()) rmSync(join(dataDir, name))
  for (const name of readdirSync(backup)) copyFileSync(join(backup, name), join(dataDir, name))
  const restored = await start()
  t.strictSame(eventFiles(), before)
  t.strictSame(readLines(dataDir), { ids: numbered(1, 72), torn: 0 })
  t.match(restored.log(), STAY)
  const told = restored.log().split('\n').filter((line) => line.includes(STAY)).map((line) => JSON.parse(line))
  t.equal(told.reduce((sum, { lines }) => sum + Number(lines), 0), 64)
  await send(restored, 73, 75)
  await restored.kill('SIGKILL')
  const again = await start()
  await send(again, 76, 76)
  t.strictSame(readLines(dataDir), { ids: numbered(1, 76), torn: 0 })
})

t.test('after a restore of a backup that was made while lines were under way, repeated lines are written again, and the earlier ones are set aside', async (t) => {
  const { dataDir, start, send, databaseFiles } = setUp(t)
  const first = await start()
  await send(first, 1, 3)
  await first.kill('SIGTERM')
  // Accepted and not forwarded, because a folder has the name of the file.
  const path = join(dataDir, 'other/events.ndjson')
  writeFileSync(join(dataDir, 'other'), '')
  const second = await start({ FILE_FORWARDER_PATH: path })
  for (const event of numbered(4, 6)) await postEvent(second.url, event)
  await second.kill('SIGTERM')
  const backup = join(dataDir, '../backup')
  mkdirSync(backup)
  for (const name of databaseFiles()) copyFileSync(join(dataDir, name), join(backup, name))
  const third = await start()
  await send(third, 7, 9)
  await third.kill('SIGTERM')

  for (const name of databaseFiles()) rmSync(join(dataDir, name))
  for (const name of readdirSync(backup)) copyFileSync(join(backup, name), join(dataDir, name))
  const restored = await start()
  await eventually(() => readLines(dataDir).ids.length === 6 ? true : undefined, 'the events forwarded again')
  t.strictSame(readLines(dataDir), { ids: numbered(1, 6), torn: 0 })
  const aside = readdirSync(dataDir).filter((name) => name.startsWith('events.ndjson.set-aside-'))
  t.equal(aside.length, 1)
  t.strictSame(readFileSync(join(dataDir, aside[0] ?? ''), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line).eventId), numbered(4, 9))
  t.match(restored.log(), aside[0] ?? '')
})

t.test('after a kill and the loss of the database, every line stays', async (t) => {
  const { dataDir, start, send, databaseFiles } = setUp(t)
  const first = await start()
  await send(first, 1, 80)
  await first.kill('SIGKILL')
  for (const name of databaseFiles()) rmSync(join(dataDir, name))
  const second = await start()
  t.strictSame(readLines(dataDir), { ids: numbered(1, 80), torn: 0 })
  t.match(second.log(), STAY)
  await send(second, 81, 82)
  t.strictSame(readLines(dataDir), { ids: numbered(1, 82), torn: 0 })
})

t.test('an event file that is a mount point: the service continues in it, with one warning, and the check reports it', async (t) => {
  const { dataDir, start, send } = setUp(t, { FILE_FORWARDER_ROTATE_BYTES: '1000' })
  const path = join(dataDir, 'events.ndjson')
  const unmount = mountFileOver(join(dataDir, '../source'), path)
  if (unmount === undefined) return t.comment('no right to mount: skipped')
  t.teardown(unmount)
  const service = await start()
  await send(service, 1, 20)
  t.strictSame(readLines(dataDir), { ids: numbered(1, 20), torn: 0 })
  t.equal(service.log().split('event file cannot be rotated: going on in it').length, 2)
  const env = { DATA_DIR: dataDir, FORWARDERS: 'file', FILE_FORWARDER_ROTATE_BYTES: '1000', VOUCHERIFY_WEBHOOK_SECRETS: 'x' }
  const { status, stdout } = spawnSync('env', [...plainNode, program, 'check', '--connect'], { env: { ...env, PATH: process.env['PATH'] }, cwd: dataDir, encoding: 'utf8' })
  t.equal(status, 1)
  t.match(stdout, /connection: failed: .*mount point of its own/)
})

t.test('rotated files that are too old are removed at the start and on time, without new events', async (t) => {
  const { dataDir, start } = setUp(t, { FILE_FORWARDER_KEEP_DAYS: '2' })
  const old = (name: string): string => {
    const path = join(dataDir, name)
    writeFileSync(path, 'old\n')
    utimesSync(path, 0, 0)
    return path
  }
  const atStart = old('events.ndjson.20200101T000000.000Z')
  await start()
  t.throws(() => statSync(atStart), { code: 'ENOENT' })
  const byTheClock = old('events.ndjson.20200102T000000.000Z')
  await eventually(() => readdirSync(dataDir).includes('events.ndjson.20200102T000000.000Z') ? undefined : true, `${byTheClock} to be removed`)
})

t.test('two forwarders with one file under two spellings are refused at the start, and both are named', async (t) => {
  const { dataDir, start } = setUp(t)
  mkdirSync(join(dataDir, 'a'))
  writeFileSync(join(dataDir, 'a/events.ndjson'), '')
  symlinkSync('a', join(dataDir, 'linked'))
  linkSync(join(dataDir, 'a/events.ndjson'), join(dataDir, 'hard.ndjson'))
  for (const path of ['linked/events.ndjson', 'hard.ndjson', './a/../a/events.ndjson']) {
    const file = join(dataDir, 'forwarders.json')
    writeFileSync(file, JSON.stringify([{ name: 'first', type: 'file', path: 'a/events.ndjson' }, { name: 'second', type: 'file', path }]))
    await t.rejects(start({ FORWARDERS: '', FORWARDERS_FILE: file }), { message: /it ended with 2: .*(?:second.*first|\/1\/path: is the file of another)/s })
  }
})

t.test('no forwarder may write to a file of tierhook itself', async (t) => {
  const { dataDir, start } = setUp(t)
  writeFileSync(join(dataDir, '.env'), '')
  writeFileSync(join(dataDir, 'forwarders.json'), JSON.stringify([{ name: 'mine', type: 'file', path: 'forwarders.json' }]))
  for (const name of ['tierhook.db-wal', 'observations.json', '.env', './x/../tierhook.db']) {
    await t.rejects(start({ FILE_FORWARDER_PATH: `${dataDir}/${name}` }), { message: /it ended with 2: .*forwarder file.* of tierhook itself/s }, name)
  }
  await t.rejects(start({ FORWARDERS: '', FORWARDERS_FILE: join(dataDir, 'forwarders.json') }), { message: /it ended with 2: .*forwarder mine.*the file of forwarders of tierhook itself/s })
  t.strictSame(readdirSync(dataDir).sort(), ['.env', 'forwarders.json'])
})

t.test('a second service with the same event file under any name is refused, also after *.lock was removed, and the first loses nothing', async (t) => {
  const { dataDir, start, send } = setUp(t)
  const first = await start()
  await send(first, 1, 3)
  const other = join(dataDir, '../other')
  mkdirSync(join(other, 'data'), { recursive: true })
  symlinkSync(join(dataDir, 'events.ndjson'), join(other, 'link.ndjson'))
  linkSync(join(dataDir, 'events.ndjson'), join(other, 'hard.ndjson'))
  for (const name of readdirSync(dataDir).filter((name) => name.endsWith('.lock'))) rmSync(join(dataDir, name))
  for (const path of [join(dataDir, 'events.ndjson'), `${dataDir}/../data/events.ndjson`, join(other, 'link.ndjson'), ...process.platform === 'linux' ? [join(other, 'hard.ndjson')] : []]) {
    await t.rejects(start({ DATA_DIR: join(other, 'data'), FILE_FORWARDER_PATH: path }), { message: /it ended with 1: .*Another tierhook, or another forwarder, writes to the event file/s }, path)
  }
  await send(first, 4, 6)
  t.strictSame(readLines(dataDir), { ids: numbered(1, 6), torn: 0 })
  await first.kill('SIGKILL')
  const second = await start({ DATA_DIR: join(other, 'data'), FILE_FORWARDER_PATH: join(other, 'link.ndjson') })
  await send(second, 7, 7)
  t.strictSame(readLines(dataDir), { ids: numbered(1, 7), torn: 0 }, 'links are followed, and a killed process leaves no lock')
})
