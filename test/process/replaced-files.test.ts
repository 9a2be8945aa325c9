import { copyFileSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { eventually } from '../support/eventually.js'
import { postEvent, readiness, startServiceProcess, type ServiceProcess } from '../support/service-process.js'

t.jobs = 2

async function start (t: Test, dataDir: string): Promise<ServiceProcess> {
  const service = await startServiceProcess(dataDir, { FORWARDERS: 'log' })
  t.teardown(async () => { await service.kill('SIGKILL') })
  return service
}

async function setUp (t: Test): Promise<{ readonly dataDir: string, readonly service: ServiceProcess }> {
  const dataDir = join(t.testdir({ data: {} }), 'data')
  const service = await start(t, dataDir)
  t.equal((await postEvent(service.url, 'ev_before')).status, 202)
  return { dataDir, service }
}

async function refuses (t: Test, service: ServiceProcess): Promise<void> {
  t.equal((await postEvent(service.url, 'ev_after')).status, 503)
  await eventually(async () => (await readiness(service)).status === 503 ? true : undefined, 'the service to be not ready')
  t.match((await readiness(service)).text, /files of the data folder were removed or replaced/)
  await eventually(() => service.log().includes('"msg":"data folder replaced"') ? true : undefined, 'a line in the log')
  const lines = service.log().split('\n').filter((line) => line.includes('"msg":"data folder replaced"'))
  t.equal(lines.length, 1)
  t.match(lines[0], /"level":60/)
}

const losses: Readonly<Record<string, (dataDir: string) => void>> = {
  'the data folder is removed': (dataDir) => { rmSync(dataDir, { recursive: true }) },
  'the data folder is replaced by an empty one': (dataDir) => {
    renameSync(dataDir, `${dataDir}.old`)
    mkdirSync(dataDir)
  },
  'the database is removed': (dataDir) => { rmSync(join(dataDir, 'tierhook.db')) },
  'the database is replaced by a copy': (dataDir) => {
    const path = join(dataDir, 'tierhook.db')
    copyFileSync(path, `${path}.copy`)
    renameSync(`${path}.copy`, path)
  },
  'the write-ahead log is removed': (dataDir) => { rmSync(join(dataDir, 'tierhook.db-wal')) },
  'the shared memory is removed': (dataDir) => { rmSync(join(dataDir, 'tierhook.db-shm')) }
}

for (const [name, lose] of Object.entries(losses)) {
  t.test(`${name}: 503, not ready, one fatal line`, async (t) => {
    const { dataDir, service } = await setUp(t)
    lose(dataDir)
    await refuses(t, service)
  })
}

t.test('files that are moved away while no webhook arrives are reported, and the service continues after they are back', async (t) => {
  const { dataDir, service } = await setUp(t)
  const path = join(dataDir, 'tierhook.db')
  renameSync(path, `${path}.away`)
  await eventually(() => service.log().includes('"msg":"data folder replaced"') ? true : undefined, 'a line in the log')
  renameSync(`${path}.away`, path)
  await eventually(async () => (await readiness(service)).status === 200 ? true : undefined, 'the service to be ready again')
  t.equal((await postEvent(service.url, 'ev_after')).status, 202)
})

t.test('a second service after the lock was removed: the first one accepts nothing any more', async (t) => {
  const { dataDir, service } = await setUp(t)
  rmSync(join(dataDir, 'tierhook.lock'))
  const second = await start(t, dataDir)
  await refuses(t, service)
  t.equal((await postEvent(second.url, 'ev_second')).status, 202)
})
