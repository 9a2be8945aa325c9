import { join } from 'node:path'
import t from 'tap'
import { eventually } from '../support/eventually.js'
import { createFaultyDisk } from '../support/faulty-disk.js'
import { postEvent, startServiceProcess } from '../support/service-process.js'

const LIMIT_MS = 2000
/** The service's time for closing and for its log, plus time for a slow machine. */
const GRACE_MS = 8000

t.test('if a disk hangs, the process ends soon after SHUTDOWN_TIMEOUT_MS', async (t) => {
  const folder = t.testdir({ data: {} })
  const dataDir = join(folder, 'data')
  const disk = createFaultyDisk(folder, dataDir)
  const service = await startServiceProcess(dataDir, { ...disk.environment, FORWARDERS: 'log', SHUTDOWN_TIMEOUT_MS: String(LIMIT_MS) })
  t.teardown(async () => { await service.kill('SIGKILL') })
  disk.order('sync stall 60000 once ev_1')
  const posted = postEvent(service.url, 'ev_1').catch(() => undefined)
  await eventually(() => disk.isTaken() ? true : undefined, 'a stalled sync')
  const began = performance.now()
  await service.kill('SIGTERM')
  t.ok(performance.now() - began < LIMIT_MS + GRACE_MS, `ended after ${Math.round(performance.now() - began)} ms`)
  await posted
})

t.test('SIGHUP stops the service properly', async (t) => {
  const service = await startServiceProcess(t.testdir(), { FORWARDERS: 'log' })
  t.teardown(async () => { await service.kill('SIGKILL') })
  service.child.kill('SIGHUP')
  t.equal(await service.ended, 0)
  t.match(service.log(), /"signal":"SIGHUP".*"msg":"stopped"/)
})
