import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { defaultValues, httpOptions } from '../../src/config/forwarder-options.js'
import { systemClock } from '../../src/delivery/clock.js'
import { describeForwarder } from '../../src/forwarders/describe-forwarder.js'
import type { ForwarderSpec } from '../../src/forwarders/forwarder-spec.js'
import { createForwarders, type ConfiguredForwarder, type RegistryOptions } from '../../src/forwarders/registry.js'
import { sampleAttempt } from '../../src/testing/index.js'
import { captureLines } from '../support/capture-lines.js'
import { captureLog } from '../support/capture-log.js'
import { sampleDelivery } from '../support/sample-delivery.js'
import { httpDestination } from './http/support/servers.js'

const signal = new AbortController().signal
const http = { ...defaultValues(httpOptions), concurrency: 2, timeoutMs: 5000 }

function optionsFor (folder: string, rest: Partial<RegistryOptions> = {}): RegistryOptions {
  return { logger: captureLog().logger, output: captureLines(), folder, version: '1.2.3', environment: {}, retryAfterMaxMs: 1000, now: Date.now, monotonic: systemClock.monotonic, ...rest }
}

async function create (t: Test, specs: readonly ForwarderSpec[], options: RegistryOptions): Promise<readonly ConfiguredForwarder[]> {
  const created = await createForwarders(specs, options)
  if (!created.ok) throw new Error(JSON.stringify(created.faults))
  t.teardown(async () => { await Promise.all(created.forwarders.map(async ({ forwarder }) => { await forwarder.close?.() })) })
  return created.forwarders
}

t.test('each kind of configuration becomes a working forwarder, and nothing is opened before its start', async (t) => {
  const folder = t.testdir({
    'own.mjs': 'export const createForwarder = ({ to }) => ({ forward: async () => ({ outcomes: [{ status: "dead", reason: to }] }) })'
  })
  const destination = await httpDestination(t)
  const output = captureLines()
  const forwarders = await create(t, [
    { kind: 'log', spec: { name: 'l', type: 'log', withData: true } },
    { kind: 'file', spec: { name: 'f', type: 'file', path: 'sub/events.ndjson', rotateBytes: 0, keepDays: 0 } },
    { kind: 'http', spec: { name: 'h', type: 'http', url: destination.url, ...http, headers: { 'X-Team': 'a' } } },
    { kind: 'module', spec: { name: 'o', type: './own.mjs', options: { to: 'nowhere' } } }
  ], optionsFor(folder, { output }))
  t.strictSame(forwarders.map(({ forwarder, start }) => [forwarder.name, start]), [['l', 'now'], ['f', 'now'], ['h', 'now'], ['o', 'now']])
  t.notOk(existsSync(join(folder, 'sub')))
  for (const { forwarder } of forwarders) {
    await forwarder.start?.(null)
    t.match(await forwarder.forward([sampleAttempt()], { signal }), { outcomes: [forwarder.name === 'o' ? { status: 'dead', reason: 'nowhere' } : { status: 'forwarded' }] })
  }
  t.match(output.lines, [{ eventType: 'customer.loyalty.tier.upgraded', data: {} }])
  t.equal(readFileSync(join(folder, 'sub/events.ndjson'), 'utf8').split('\n').length, 2)
  t.match(destination.received, [{ headers: { 'x-team': 'a', 'user-agent': 'tierhook/1.2.3' } }])
})

t.test('events, verdicts and conditions decide which deliveries a forwarder gets', async (t) => {
  const [forwarder] = await create(t, [{
    kind: 'log',
    spec: { name: 'l', type: 'log', withData: false, start: 'beginning', events: ['customer.*'], verdicts: ['valid'], where: [{ pointer: '/campaign/id', exists: true }] }
  }], optionsFor(t.testdir()))
  t.equal(forwarder?.start, 'beginning')
  t.equal(forwarder?.accepts(sampleDelivery()), true)
  t.equal(forwarder?.accepts(sampleDelivery({ eventType: 'campaign.loyalty_tier.created' })), false)
  t.equal(forwarder?.accepts(sampleDelivery({ verdict: 'unvalidated' })), false)
  t.equal(forwarder?.accepts(sampleDelivery({ rawBody: Buffer.from('{"data":{},"event":{}}') })), false)
})

t.test('all forwarders that cannot be created are reported at once, and the others are closed', async (t) => {
  const log = captureLog()
  const folder = t.testdir({
    'own.mjs': 'export const createForwarder = (_options, { logger }) => ({ forward: async () => {}, close: async () => { logger.info("closed") } })',
    'wrong.mjs': 'export const createForwarder = () => { throw "wrong" }'
  })
  const created = await createForwarders([
    { kind: 'module', spec: { name: 'a', type: './own.mjs' } },
    { kind: 'module', spec: { name: 'b', type: './wrong.mjs' } },
    { kind: 'http', spec: { name: 'c', type: 'http', url: 'http://127.0.0.1/', ...http } },
    { kind: 'log', spec: { name: 'd', type: 'log', withData: false } }
  ], optionsFor(folder, { logger: log.logger, environment: { HTTP_PROXY: 'socks://user:hunter2@proxy' } }))
  t.strictSame(created, {
    ok: false,
    faults: [
      { forwarder: 'b', message: 'createForwarder of ./wrong.mjs failed: wrong' },
      { forwarder: 'c', message: 'HTTP_PROXY must be the http:// or https:// URL of a proxy, or its host and port' }
    ]
  })
  t.equal(log.find('closed').length, 1)
})

t.test('the description of a forwarder contains no secret', async (t) => {
  const folder = t.testdir({ 'own.mjs': 'export const createForwarder = () => ({ forward: async () => {}, order: "arrival", timeoutMs: 3 })' })
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
  const forwarders = await create(t, [
    { kind: 'log', spec: { name: 'l', type: 'log', withData: false, events: ['a.*'], verdicts: ['valid'], where: [{ pointer: '/a', equals: 1 }] } },
    { kind: 'file', spec: { name: 'f', type: 'file', path: 'x', rotateBytes: 1, keepDays: 2 } },
    { kind: 'http', spec: { name: 'h', type: 'http', url: 'https://x.example/hunter2?key=hunter2', ...http, secrets: [secret], headers: { authorization: 'hunter2' } } },
    { kind: 'http', spec: { name: 'h2', type: 'http', url: 'http://x.example:81', ...http } },
    { kind: 'module', spec: { name: 'o', type: './own.mjs', options: { password: 'hunter2' } } },
    { kind: 'module', spec: { name: 'p', type: './own.mjs' } }
  ], optionsFor(folder))
  const shown = forwarders.map((each) => describeForwarder(each, folder))
  t.match(shown, [
    { name: 'l', type: 'log', destination: 'stdout', start: 'now', order: 'arrival', concurrency: 1, events: ['a.*'], verdicts: ['valid'], where: [{ pointer: '/a', equals: 1 }], options: { withData: false } },
    { destination: join(folder, 'x'), options: { rotateBytes: 1, keepDays: 2 } },
    { destination: 'https://x.example/…', order: 'customer', timeoutMs: 5000, options: { format: 'voucherify', secrets: 1, headers: ['authorization'], permanentStatus: [410] } },
    { destination: 'http://x.example:81/', options: { secrets: 0, headers: { length: 0 } } },
    { destination: './own.mjs', order: 'arrival', timeoutMs: 3, options: { names: ['password'] } },
    { options: { names: { length: 0 } } }
  ])
  t.notMatch(JSON.stringify(shown), /hunter2|whsec/)
})
