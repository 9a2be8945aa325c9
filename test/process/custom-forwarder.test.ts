import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { eventually } from '../support/eventually.js'
import { postEvent, startServiceProcess } from '../support/service-process.js'

const forwarders = JSON.stringify([{ name: 'own', type: './own.mjs', start: 'beginning' }, { name: 'file', type: 'file', path: 'events.ndjson' }])
const environment = { FORWARDERS: '', FORWARDERS_FILE: 'forwarders.json' }

function linesOf (log: string, msg: string): ReadonlyArray<Record<string, unknown>> {
  return log.split('\n').filter((line) => line.includes(`"msg":"${msg}"`)).map((line) => JSON.parse(line) as Record<string, unknown>)
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
  const inFile = (): readonly string[] => existsSync(join(dataDir, 'events.ndjson'))
    ? readFileSync(join(dataDir, 'events.ndjson'), 'utf8').split('\n').filter((line) => line !== '').map((line) => String(JSON.parse(line).eventId))
    : []
  while (linesOf(service.log(), 'delivery thread failed').length < 3) {
    t.equal((await postEvent(service.url, `ev_${sent.length}`)).status, 202)
    sent.push(`ev_${sent.length}`)
    await new Promise((resolve) => { setTimeout(resolve, 50) })
  }
  await eventually(() => inFile().length >= sent.length ? true : undefined, 'all accepted events in the file')
  t.strictSame(inFile(), sent, 'the file has each event once, in order')
  t.match(linesOf(service.log(), 'delivery thread failed').slice(0, 3), [1, 2, 4].map((seconds) => ({ retryInMs: 1000, customAfterMs: seconds * 1000 })))
  t.equal(await service.kill('SIGTERM'), 0)
})
