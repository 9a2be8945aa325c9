import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { httpDestination } from '../forwarders/http/support/servers.js'
import { eventually } from '../support/eventually.js'
import { systemNames, type NameAnswer, type SystemNames } from '../support/name-server.js'
import { plainNode, program } from '../support/program.js'
import { postEvent, startServiceProcess } from '../support/service-process.js'

const NO_RIGHTS = 'left out: it takes the right to mount, and port 53 of 127.0.0.53'

/** A name system whose server does not answer for `hangs`, and knows `kube` and `old`. */
async function namesOf (t: Test, folder: string): Promise<SystemNames | undefined> {
  const names = await systemNames(folder, (name, type): NameAnswer => {
    if (name.startsWith('hangs')) return 'silent'
    if (name === 'kube.shop.svc.cluster.local') return ['127.0.0.1']
    if (name === 'old.shop.svc.cluster.local') return type === 'A' ? ['127.0.0.1'] : 'silent'
    return 'unknown'
  })
  if (names !== undefined) t.teardown(names.server.close)
  return names
}

/** A destination at one of several names, with a new connection for each request. */
async function closingDestination (t: Test) {
  return await httpDestination(t, (_request, response) => { response.writeHead(200, { connection: 'close' }).end() })
}

t.test('names whose DNS server does not answer do not affect destinations with other names, and a stop ends in time', async (t) => {
  const dataDir = t.testdir({ names: {} })
  const names = await namesOf(t, join(dataDir, 'names'))
  if (names === undefined) {
    t.comment(NO_RIGHTS)
    return
  }
  const wells = await Promise.all(['localhost', 'well.example', 'kube', 'old'].map(async (host) => ({ host, ...await closingDestination(t) })))
  const forwarders = [
    ...Array.from({ length: 4 }, (_each, index) => ({ name: `hangs-${index}`, type: 'http', url: `http://hangs-${index}.example/`, order: 'none' })),
    ...wells.map(({ host, port }) => ({ name: host, type: 'http', url: `http://${host}:${port}/`, order: 'none' }))
  ]
  writeFileSync(join(dataDir, 'forwarders.json'), JSON.stringify(forwarders))
  const limitMs = 2000
  const environment = { FORWARDERS: '', FORWARDERS_FILE: 'forwarders.json', SHUTDOWN_TIMEOUT_MS: String(limitMs), RETRY_MIN_MS: '20', RETRY_MAX_MS: '100' }
  const service = await startServiceProcess(dataDir, environment, () => {}, names.wrapper)
  t.teardown(async () => { await service.kill('SIGKILL') })
  await postEvent(service.url, 'ev_first')
  await eventually(() => names.server.asked.filter((each) => each.startsWith('hangs')).length >= 8 ? true : undefined, 'the look-ups to hang')

  const count = 200
  const before = performance.now()
  for (let index = 1; index < count; index++) await postEvent(service.url, `ev_${index}`)
  await eventually(() => wells.every(({ received }) => received.length >= count) ? true : undefined, 'the events at the destinations that work')
  t.comment(`${count} events at each of ${wells.length} in ${Math.round(performance.now() - before)} ms`)
  t.ok(wells.every(({ sockets }) => sockets.total >= count), 'each event used a new connection')
  t.strictSame(wells.map(({ received }) => received.length), wells.map(() => count))

  const stopped = performance.now()
  t.equal(await service.kill('SIGTERM'), 0)
  const took = performance.now() - stopped
  t.comment(`it stopped in ${Math.round(took)} ms`)
  t.ok(took < limitMs + 1500, `${Math.round(took)} ms`)
})

t.test('a custom forwarder whose own look-up hangs does not delay the end', async (t) => {
  const dataDir = t.testdir({
    names: {},
    'own.mjs': 'import { lookup } from "node:dns"\nexport const createForwarder = () => ({ forward: async () => await new Promise((resolve, reject) => { lookup("hangs.example", reject) }) })',
    'forwarders.json': JSON.stringify([{ name: 'own', type: './own.mjs' }])
  })
  const names = await namesOf(t, join(dataDir, 'names'))
  if (names === undefined) {
    t.comment(NO_RIGHTS)
    return
  }
  const limitMs = 1000
  const service = await startServiceProcess(dataDir, { FORWARDERS: '', FORWARDERS_FILE: 'forwarders.json', SHUTDOWN_TIMEOUT_MS: String(limitMs) }, () => {}, names.wrapper)
  t.teardown(async () => { await service.kill('SIGKILL') })
  await postEvent(service.url, 'ev_first')
  await eventually(() => names.server.asked.length > 0 ? true : undefined, 'the look-up to hang')
  const stopped = performance.now()
  await service.kill('SIGTERM')
  const took = performance.now() - stopped
  t.ok(took < limitMs + 1500, `${Math.round(took)} ms`)
  t.match(service.log(), '"msg":"stopped"')
})

t.test('tierhook check --connect ends in time if a name server does not answer', async (t) => {
  const folder = t.testdir()
  const names = await namesOf(t, folder)
  if (names === undefined) {
    t.comment(NO_RIGHTS)
    return
  }
  const [command = '', ...args] = [...names.wrapper, 'env', ...plainNode, program, 'check', '--connect', '--timeout-ms', '500']
  const started = performance.now()
  const child = spawn(command, args, {
    cwd: folder, env: { PATH: process.env['PATH'], FORWARDERS: 'http', HTTP_FORWARDER_URL: 'http://hangs.example/' }, stdio: ['ignore', 'pipe', 'ignore']
  })
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'close')])
  t.equal(code, 1)
  t.match(output, 'connection: failed: there was no connection within 500 ms')
  t.ok(performance.now() - started < 5000)
})
