import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { freePort } from '../forwarders/http/support/servers.js'
import { eventually, eventuallyTrue } from '../support/eventually.js'
import { noPostgres, startPostgres } from '../support/postgres-server.js'
import { postEvent, startServiceProcess } from '../support/service-process.js'

t.test('after a replica was killed, another one leads the upkeep, and the observations of the killed one stay', { skip: noPostgres }, async (t) => {
  const server = await startPostgres(t)
  const folder = t.testdir()
  const start = async (name: string) => {
    const dataDir = join(folder, name)
    const adminPort = String(await freePort())
    mkdirSync(dataDir)
    const service = await startServiceProcess(dataDir, { JOURNAL: server.url, REPLICA_NAME: name, FORWARDERS: 'log', ADMIN_PORT: adminPort, EXPECT_EVENT_WITHIN: '*=1m' })
    t.teardown(async () => { await service.kill('SIGKILL') })
    const get = async (path: string): Promise<string> => await (await fetch(`http://127.0.0.1:${adminPort}${path}`)).text()
    return { service, get, leads: () => service.log().includes('"msg":"upkeep led here"') }
  }
  const first = await start('first')
  await eventuallyTrue(first.leads, 'a leader')
  const second = await start('second')
  t.equal((await postEvent(first.service.url, 'ev_1')).status, 202)
  const seen = await eventually(async () => {
    const drift = await second.get('/api/drift')
    return drift.includes('"pointer"') ? drift : undefined
  }, 'drift seen by the first replica, at the second one')
  t.match(await second.get('/api/missing-events'), /"lastAt":"\d/)
  t.equal(second.leads(), false)

  const killedAt = performance.now()
  await first.service.kill('SIGKILL')
  await eventuallyTrue(second.leads, 'a new leader')
  const ms = performance.now() - killedAt
  t.ok(ms > 5000, 'the new leader starts only after the lease has ended')
  t.comment(`the upkeep was led again after ${Math.round(ms)} ms`)
  t.equal(await second.get('/api/drift'), seen)
  t.equal((await postEvent(second.service.url, 'ev_2')).status, 202)
  t.match(await second.get('/metrics'), /tierhook_leads\{forwarder="log"\}/)
  t.notMatch(await second.get('/metrics'), ':upkeep')
  t.equal(await second.service.kill('SIGTERM'), 0)
})
