import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { Agent } from 'node:http'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { freePort } from '../forwarders/http/support/servers.js'
import { eventually, eventuallyTrue } from '../support/eventually.js'
import { plainNode, program } from '../support/program.js'
import { eventBody, postBody, startServiceProcess, type ServiceProcess } from '../support/service-process.js'

interface Drift {
  readonly differences: ReadonlyArray<{ readonly eventType: string, readonly pointer: string }>
  readonly dropped: number
}

interface Started {
  readonly service: ServiceProcess
  readonly drift: () => Promise<Drift>
  readonly reset: () => Promise<unknown>
}

async function start (t: Test, dataDir: string): Promise<Started> {
  const port = await freePort()
  const service = await startServiceProcess(dataDir, { ADMIN_PORT: String(port), FORWARDERS: 'log', LOG_LEVEL: 'info' })
  t.teardown(async () => { await service.kill('SIGKILL') })
  const url = `http://127.0.0.1:${port}/api/drift`
  const ask = async (path: string, init?: RequestInit): Promise<unknown> => await (await fetch(`${url}${path}`, init)).json()
  return {
    service,
    drift: async () => await ask('') as Drift,
    reset: async () => await ask('/reset', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' })
  }
}

/** Posts an event of a source with an additional key, and of an unknown type if one is given. */
async function send (service: ServiceProcess, { id, source, key, type }: { readonly id: string, readonly source: string, readonly key: string, readonly type?: string }, agent: Agent): Promise<void> {
  const event = JSON.parse(eventBody(id))
  event.source.id = source
  event.data[key] = 1
  if (type !== undefined) event.event.type = type
  const { status } = await postBody(service.url, Buffer.from(JSON.stringify(event)), agent)
  if (status !== 202) throw new Error(`answered ${status}`)
}

function commandLine (dataDir: string, ...args: readonly string[]): string {
  return execFileSync('env', [...plainNode, program, 'drift', ...args], { cwd: dataDir, env: { PATH: process.env['PATH'], DATA_DIR: dataDir }, encoding: 'utf8' })
}

const added = ({ differences }: Drift): readonly string[] => differences.map(({ pointer }) => pointer).filter((pointer) => pointer.startsWith('/data/new_')).sort()

t.test('a signed source that floods new event types displaces no other source\'s drift, before a restart and after it', async (t) => {
  const dataDir = join(t.testdir(), 'data')
  mkdirSync(dataDir)
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  t.teardown(() => { agent.destroy() })
  const flood = async (service: ServiceProcess, from: number): Promise<void> => {
    for (let index = from; index < from + 640; index += 64) {
      await Promise.all(Array.from({ length: 64 }, async (_each, offset) => { await send(service, { id: `ev_flood_${index + offset}`, source: 'wh_flood', key: 'x', type: `made.up.${index + offset}` }, agent) }))
    }
  }
  const first = await start(t, dataDir)
  await send(first.service, { id: 'ev_1', source: 'distr_1', key: 'new_before' }, agent)
  await flood(first.service, 0)
  await send(first.service, { id: 'ev_2', source: 'distr_1', key: 'new_after' }, agent)
  t.strictSame(added(await first.drift()), ['/data/new_after', '/data/new_before'])
  t.equal(await first.service.kill('SIGTERM'), 0)
  const second = await start(t, dataDir)
  await flood(second.service, 1000)
  await send(second.service, { id: 'ev_3', source: 'distr_2', key: 'new_later' }, agent)
  const drift = await second.drift()
  t.strictSame(added(drift), ['/data/new_after', '/data/new_before', '/data/new_later'])
  t.equal(drift.differences.length, 500)
  t.ok(drift.dropped >= 780)
})

t.test('drift is reset by the API, and by the command beside a running service and without one; a restart does not bring it back', async (t) => {
  const dataDir = join(t.testdir(), 'data')
  mkdirSync(dataDir)
  const agent = new Agent()
  t.teardown(() => { agent.destroy() })
  const first = await start(t, dataDir)
  await send(first.service, { id: 'ev_1', source: 'distr_1', key: 'new_a' }, agent)
  const { differences: { length } } = await first.drift()
  t.ok(length > 0)
  t.same(await first.reset(), { forgotten: length })
  t.same(await first.drift(), { differences: [], dropped: 0 })
  await eventuallyTrue(() => existsSync(join(dataDir, 'observations.json')), 'the reset to be written to the disk')

  await send(first.service, { id: 'ev_2', source: 'distr_1', key: 'new_b' }, agent)
  t.strictSame(added(await first.drift()), ['/data/new_b'])
  t.match(commandLine(dataDir, 'reset'), 'Drift is forgotten')
  await eventually(async () => (await first.drift()).differences.length === 0 ? true : undefined, 'the service to apply the reset')
  t.match(first.service.log(), /"differences":\d+,"msg":"drift reset"/)

  await send(first.service, { id: 'ev_3', source: 'distr_1', key: 'new_c' }, agent)
  t.equal(await first.service.kill('SIGTERM'), 0)
  t.match(commandLine(dataDir), '/data/new_c')
  commandLine(dataDir, 'reset')
  t.equal(commandLine(dataDir), '')
  const second = await start(t, dataDir)
  await eventually(async () => (await second.drift()).differences.length === 0 ? true : undefined, 'the next run to apply the reset')
  t.equal(await second.service.kill('SIGTERM'), 0)
  t.equal(commandLine(dataDir), '')
})
