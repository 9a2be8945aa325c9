import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { freePort } from '../forwarders/http/support/servers.js'
import { eventually } from '../support/eventually.js'
import { postEvent, startServiceProcess } from '../support/service-process.js'

const forwarders = JSON.stringify([{ name: 'own', type: './own.mjs', start: 'beginning' }, { name: 'file', type: 'file', path: 'events.ndjson' }])
const environment = { FORWARDERS: '', FORWARDERS_FILE: 'forwarders.json' }

function linesOf (log: string, msg: string): ReadonlyArray<Record<string, unknown>> {
  return log.split('\n').filter((line) => line.includes(`"msg":"${msg}"`)).map((line) => JSON.parse(line) as Record<string, unknown>)
}

/** Returns the ids of the events in the event file. */
function inFile (dataDir: string): readonly string[] {
  const path = join(dataDir, 'events.ndjson')
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter((line) => line !== '').map((line) => String(JSON.parse(line).eventId)) : []
}

/** Returns the forwarders by the operator's API, in the order of their names. */
async function shown (adminPort: number): Promise<ReadonlyArray<{ readonly name: string, readonly breaker: string, readonly pending: number }>> {
  const response = await fetch(`http://127.0.0.1:${adminPort}/api/forwarders`)
  const { forwarders } = await response.json() as { readonly forwarders: Awaited<ReturnType<typeof shown>> }
  return [...forwarders].sort((a, b) => a.name < b.name ? -1 : 1)
}

t.test('a custom forwarder that computes for ten seconds delays no webhook', async (t) => {
  const dataDir = t.testdir({
    'forwarders.json': forwarders,
    'own.mjs': `
      let spun = false
      export const createForwarder = (_options, { logger }) => ({
        async forward (attempts) {
          if (!spun) {
            spun = true
            logger.info('spins')
            await new Promise((resolve) => setTimeout(resolve, 100))
            for (const end = Date.now() + 10_000; Date.now() < end;);
          }
          return { outcomes: attempts.map(() => ({ status: 'forwarded' })) }
        }
      })`
  })
  const service = await startServiceProcess(dataDir, environment)
  t.teardown(async () => { await service.kill('SIGKILL') })
  await postEvent(service.url, 'ev_0')
  await eventually(() => linesOf(service.log(), 'spins').length > 0 ? true : undefined, 'the forwarder to start its endless loop')
  const until = performance.now() + 8000
  const times: number[] = []
  for (let index = 1; performance.now() < until; index++) {
    const before = performance.now()
    t.equal((await postEvent(service.url, `ev_${index}`)).status, 202)
    times.push(performance.now() - before)
    await new Promise((resolve) => { setTimeout(resolve, 20) })
  }
  times.sort((a, b) => a - b)
  const slowest = times.at(-1) ?? Infinity
  t.comment(`${times.length} webhooks, median ${times[times.length >> 1]?.toFixed(1)} ms, slowest ${slowest.toFixed(1)} ms`)
  // In a single thread the first would wait until the computing is over. A busy machine takes some time too.
  t.ok(times.length > 5)
  t.ok(slowest < 2000, `${slowest} ms`)
  await service.kill('SIGTERM')
})

t.test('a custom forwarder that ends the thread at its start does not keep the service from starting', async (t) => {
  const dataDir = t.testdir({
    'forwarders.json': forwarders,
    'own.mjs': `
      import { existsSync, writeFileSync } from 'node:fs'
      export const createForwarder = (_options, { logger }) => ({
        async start () {
          if (existsSync('fallen')) return
          writeFileSync('fallen', '')
          process.exit(3)
        },
        async forward (attempts) {
          for (const { delivery } of attempts) logger.info({ eventId: delivery.eventId }, 'got')
          return { outcomes: attempts.map(() => ({ status: 'forwarded' })) }
        }
      })`
  })
  const service = await startServiceProcess(dataDir, environment)
  t.teardown(async () => { await service.kill('SIGKILL') })
  t.equal((await postEvent(service.url, 'ev_1')).status, 202)
  await eventually(() => linesOf(service.log(), 'got').length === 1 ? true : undefined, 'the event at the forwarder')
  t.equal(linesOf(service.log(), 'delivery thread failed').length, 1)
  t.equal(await service.kill('SIGTERM'), 0)
})

for (const [how, code] of [
  ['calls process.exit', 'process.exit(3)'],
  ['throws outside of a promise', 'setTimeout(() => { throw new Error("out of nowhere") }, 0); await new Promise(() => {})'],
  ['rejects a promise without a handler', 'Promise.reject(new Error("nobody waits")); await new Promise(() => {})']
] as const) {
  t.test(`a custom forwarder that ${how} costs no webhook: the deliver thread starts again, and the log has the reason`, async (t) => {
    const dataDir = t.testdir({
      'forwarders.json': forwarders,
      'own.mjs': `
        import { existsSync, writeFileSync } from 'node:fs'
        export const createForwarder = (_options, { logger }) => ({
          async forward (attempts) {
            if (!existsSync('fallen')) {
              writeFileSync('fallen', '')
              ${code}
            }
            for (const { delivery } of attempts) logger.info({ eventId: delivery.eventId }, 'got')
            return { outcomes: attempts.map(() => ({ status: 'forwarded' })) }
          }
        })`
    })
    const service = await startServiceProcess(dataDir, environment)
    t.teardown(async () => { await service.kill('SIGKILL') })
    const sent: string[] = []
    for (let index = 0; linesOf(service.log(), 'delivery thread failed').length === 0 || index < 20; index++) {
      t.equal((await postEvent(service.url, `ev_${index}`)).status, 202)
      sent.push(`ev_${index}`)
    }
    const [failed] = linesOf(service.log(), 'delivery thread failed')
    t.match(failed, { level: 50, err: { message: /out of nowhere|nobody waits|exit code 3/ }, retryInMs: 1000 })
    await eventually(() => new Set(linesOf(service.log(), 'got').map(({ eventId }) => eventId)).size >= sent.length ? true : undefined, 'all accepted events at the forwarder')
    await eventually(() => linesOf(service.log(), 'delivery thread runs again').length === 1 ? true : undefined, 'the log line of the new deliver thread')
    t.equal(await service.kill('SIGTERM'), 0)
  })
}

t.test('a custom forwarder that ends the thread at each call does not keep other forwarders from forwarding', async (t) => {
  const dataDir = t.testdir({
    'forwarders.json': forwarders,
    'own.mjs': `
      export const createForwarder = () => ({
        async forward () {
          await new Promise((resolve) => setTimeout(resolve, 20))
          process.exit(7)
        }
      })`
  })
  const service = await startServiceProcess(dataDir, environment)
  t.teardown(async () => { await service.kill('SIGKILL') })
  const sent: string[] = []
  while (linesOf(service.log(), 'delivery thread failed').length < 3) {
    t.equal((await postEvent(service.url, `ev_${sent.length}`)).status, 202)
    sent.push(`ev_${sent.length}`)
    await new Promise((resolve) => { setTimeout(resolve, 50) })
  }
  await eventually(() => inFile(dataDir).length >= sent.length ? true : undefined, 'all accepted events in the file')
  t.strictSame(inFile(dataDir), sent, 'the file has each event once, in order')
  t.match(linesOf(service.log(), 'delivery thread failed').slice(0, 3), [1, 2, 4].map((seconds) => ({ retryInMs: 1000, customAfterMs: seconds * 1000 })))
  t.equal(await service.kill('SIGTERM'), 0)
})

for (const [how, broken] of [
  ['cannot be loaded', 'export const createForwarder = ;'],
  ['ends the thread while it is loaded', 'process.exit(5)']
] as const) {
  t.test(`a custom forwarder that ${how} after the deliver thread has failed costs the others nothing, and goes on when it is mended`, async (t) => {
    const mended = `export const createForwarder = (_options, { logger }) => ({
      async forward (attempts) {
        for (const { delivery } of attempts) logger.info({ eventId: delivery.eventId }, 'got')
        return { outcomes: attempts.map(() => ({ status: 'forwarded' })) }
      }
    })`
    const dataDir = t.testdir({
      'forwarders.json': forwarders,
      'own.mjs': `
        import { writeFileSync } from 'node:fs'
        export const createForwarder = () => ({
          async forward () {
            writeFileSync('own.mjs', ${JSON.stringify(broken)})
            process.exit(3)
          }
        })`
    })
    const adminPort = await freePort()
    const service = await startServiceProcess(dataDir, { ...environment, ADMIN_PORT: String(adminPort) })
    t.teardown(async () => { await service.kill('SIGKILL') })
    t.equal((await postEvent(service.url, 'ev_0')).status, 202)
    await eventually(() => linesOf(service.log(), 'delivery thread failed').length > 0 ? true : undefined, 'the end of the thread')
    t.equal((await postEvent(service.url, 'ev_1')).status, 202)
    await eventually(() => inFile(dataDir).length === 2 ? true : undefined, 'the events in the file')
    if (how === 'cannot be loaded') {
      const [line] = await eventually(() => linesOf(service.log(), 'forwarder cannot start').length > 0 ? linesOf(service.log(), 'forwarder cannot start') : undefined, 'the line that names it')
      t.match(line, { level: 50, forwarder: 'own', attempt: 1, err: { message: /Unexpected token/ } })
      t.match(await shown(adminPort), [{ name: 'file', breaker: 'closed', pending: 0 }, { name: 'own', breaker: 'open', pending: 2 }])
    } else await eventually(() => linesOf(service.log(), 'delivery thread failed').length > 1 ? true : undefined, 'the second end of the thread')
    writeFileSync(join(dataDir, 'own.mjs'), mended)
    await eventually(() => new Set(linesOf(service.log(), 'got').map(({ eventId }) => eventId)).size === 2 ? true : undefined, 'both events at the mended forwarder')
    t.strictSame(inFile(dataDir), ['ev_0', 'ev_1'])
    await eventually(async () => (await shown(adminPort)).every(({ breaker, pending }) => breaker === 'closed' && pending === 0) ? true : undefined, 'both forwarders shown as closed')
    t.equal(await service.kill('SIGTERM'), 0)
  })
}
