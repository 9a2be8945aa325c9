import { join } from 'node:path'
import t from 'tap'
import type { Forwarder } from '../../src/delivery/forwarder.js'
import type { ModuleSpec } from '../../src/forwarders/forwarder-spec.js'
import { ForwarderModuleError, loadForwarder } from '../../src/forwarders/load-module.js'
import { sampleAttempt } from '../../src/testing/index.js'
import { captureLog } from '../support/capture-log.js'

const signal = new AbortController().signal
const log = captureLog()

async function load (folder: string, type: string, rest: Partial<ModuleSpec> = {}, limitMs = 5000): Promise<Forwarder> {
  return await loadForwarder({ name: 'own', type, ...rest }, { folder, logger: log.logger, limitMs })
}

const least = 'export const createForwarder = () => ({ forward: async (attempts) => ({ outcomes: attempts.map(() => ({ status: "forwarded" })) }) })'

t.test('a module at a path is loaded, relative to the folder of the file or absolute, whatever its name', async (t) => {
  const folder = t.testdir({ 'own forwarder #1 100%.mjs': least })
  for (const type of ['./own forwarder #1 100%.mjs', join(folder, 'own forwarder #1 100%.mjs')]) {
    const forwarder = await load(folder, type)
    t.match(forwarder, { name: 'own', order: 'none', concurrency: 1, batchSize: 1, timeoutMs: 15_000, recordsSuccess: true })
    t.notOk('giveUpMs' in forwarder || 'check' in forwarder)
    await forwarder.start?.(null)
    t.strictSame(await forwarder.forward([sampleAttempt()], { signal }), { outcomes: [{ status: 'forwarded' }] })
    await forwarder.close?.()
  }
})

t.test('CommonJS is loaded in each of its forms, also where Node.js cannot tell what it exports before it runs', async (t) => {
  const made = '() => ({ forward: async () => ({ outcomes: [] }) })'
  const folder = t.testdir({
    'assigned.cjs': `exports.createForwarder = ${made}`,
    'object.cjs': `module.exports = { createForwarder: ${made} }`,
    'bundled.cjs': `module.exports = (() => { const all = {}; all.createForwarder = ${made}; return all })()`,
    'compiled.cjs': `Object.defineProperty(exports, '__esModule', { value: true })\nexports.createForwarder = ${made}`
  })
  for (const type of ['assigned', 'object', 'bundled', 'compiled']) t.type((await load(folder, `./${type}.cjs`)).forward, 'function', type)
})

t.test('a package beside the file is loaded, also an ESM-only one, and otherwise one beside tierhook', async (t) => {
  const folder = t.testdir({
    node_modules: {
      'import-only': { 'package.json': '{"name":"import-only","exports":{".":{"import":"./index.mjs"},"./sub":"./index.mjs"}}', 'index.mjs': least },
      '@me': { plain: { 'package.json': '{"type":"module","main":"main.js"}', 'main.js': least } }
    }
  })
  for (const type of ['import-only', 'import-only/sub', '@me/plain']) t.type((await load(folder, type)).forward, 'function', type)
  await t.rejects(load(folder, 'pino'), { message: 'The module pino must export a function createForwarder(options, context)' })
})

t.test('a module gets its options and context, and decides on values that the configuration leaves open', async (t) => {
  const folder = t.testdir({
    'own.mjs': `
      export async function createForwarder (options, { name, folder, logger }) {
        logger.info({ options, folder }, 'created')
        return {
          name: 'other', order: 'customer', concurrency: 3, batchSize: 4, timeoutMs: 5, giveUpMs: Infinity, recordsSuccess: false,
          async start (position) { logger.info({ position }, 'started') },
          async forward (attempts) { return { outcomes: attempts.map(() => ({ status: 'forwarded', detail: name })), position: 'p' } },
          async check (signal) { signal.throwIfAborted() },
          async close ({ settled }) { logger.info({ settled }, 'closed') }
        }
      }`
  })
  const forwarder = await load(folder, './own.mjs', { options: { path: 'x' } })
  t.match(log.find('created'), [{ forwarder: 'own', options: { path: 'x' }, folder }])
  t.match(forwarder, { name: 'own', order: 'customer', concurrency: 3, batchSize: 4, timeoutMs: 5, giveUpMs: Infinity, recordsSuccess: false })
  t.match(await load(folder, './own.mjs', { order: 'none', concurrency: 6, timeoutMs: 7 }), { order: 'none', concurrency: 6, batchSize: 4, timeoutMs: 7 })
  await forwarder.start?.('there')
  t.match(log.find('started'), [{ position: 'there', forwarder: 'own' }])
  t.strictSame(await forwarder.forward([sampleAttempt()], { signal }), { outcomes: [{ status: 'forwarded', detail: 'own' }], position: 'p' })
  await forwarder.check?.(signal)
  await t.rejects(forwarder.check?.(AbortSignal.abort()) ?? Promise.resolve())
  await Promise.all([forwarder.close?.({ settled: false }), forwarder.close?.()])
  t.match(log.find('closed'), [{ settled: false }])
  t.equal(log.find('closed').length, 1)
})

t.test('order of arrival with a concurrency above one is refused, in the module or the configuration', async (t) => {
  const folder = t.testdir({
    'many.mjs': 'export const createForwarder = ({ order }) => ({ order, concurrency: 4, forward: async () => ({ outcomes: [] }) })'
  })
  const message = /^createForwarder of .\/many.mjs returned something that is not a forwarder: concurrency must be 1 where order is arrival, and is 4: .*Make it 1, or set order to customer or none$/
  await t.rejects(load(folder, './many.mjs', { options: { order: 'arrival' } }), { message })
  await t.rejects(load(folder, './many.mjs', { order: 'arrival' }), { message })
  t.match(await load(folder, './many.mjs', { order: 'arrival', concurrency: 1 }), { order: 'arrival', concurrency: 1 })
  t.match(await load(folder, './many.mjs', { options: { order: 'arrival' }, order: 'customer' }), { order: 'customer', concurrency: 4 })
})

t.test('methods of a class instance keep their this', async (t) => {
  const folder = t.testdir({
    'own.mjs': `
      class Own {
        #count = 0
        async start () { this.#count = 10 }
        async forward () { return { outcomes: [{ status: 'retry', reason: String(++this.#count) }] } }
        async check () { this.#count++ }
        async close () { this.#count = 0 }
      }
      export const createForwarder = () => new Own()`
  })
  const forwarder = await load(folder, './own.mjs')
  await forwarder.start?.(null)
  await forwarder.check?.(signal)
  t.match(await forwarder.forward([sampleAttempt()], { signal }), { outcomes: [{ reason: '12' }] })
  await forwarder.close?.()
})

t.test('a module changes only its copy of a delivery, whose bytes are a Buffer also after passing between threads', async (t) => {
  const folder = t.testdir({
    'changing.mjs': `
      export const createForwarder = () => ({
        async forward (attempts) {
          const [{ delivery }] = attempts
          const detail = delivery.rawBody.toString()
          delivery.rawBody.fill(0)
          structuredClone(delivery.rawBody.buffer, { transfer: [delivery.rawBody.buffer] })
          delivery.headers['content-type'] = 'text/plain'
          delivery.faults[0].message = ''
          delivery.customerId = null
          attempts[0].number = 7
          attempts.pop()
          return { outcomes: [{ status: 'forwarded', detail }] }
        }
      })`
  })
  const both = new TextEncoder().encode('{"a":1}{"b":2}')
  const attempts = [sampleAttempt({ rawBody: both.subarray(0, 7), faults: [{ pointer: '/a', message: 'is wrong' }] })]
  const before = structuredClone(attempts)
  const forwarder = await load(folder, './changing.mjs')
  t.match(await forwarder.forward(attempts, { signal }), { outcomes: [{ detail: '{"a":1}' }] })
  t.strictSame(structuredClone(attempts), before)
  t.equal(Buffer.from(both).toString(), '{"a":1}{"b":2}', 'the neighbouring body is unchanged')
})

t.test('an error at a start or an end that throws when it is logged is replaced by a loggable one', async (t) => {
  const folder = t.testdir({
    'unreadable.mjs': `
      function fail () { throw Object.defineProperty(new Error('x'), 'message', { enumerable: true, get () { throw new Error('boom') } }) }
      export const createForwarder = () => ({ start: fail, close: fail, forward: async () => undefined })`
  })
  const forwarder = await load(folder, './unreadable.mjs')
  const message = 'The forwarder failed, and its error cannot be read'
  await t.rejects(async () => { await forwarder.start?.(null) }, { message })
  await forwarder.close?.()
  t.match(log.find('forwarder not closed').at(-1), { err: { message } })
})

t.test('a module that is not a forwarder is refused with what it lacks', async (t) => {
  const folder = t.testdir({
    'empty.mjs': '',
    'syntax.mjs': 'export const = 1',
    'throws.mjs': 'throw new Error("no such luck\\nsecond line")',
    'hangs.mjs': 'await new Promise(() => { setTimeout(() => {}, 300) })',
    'options.mjs': 'export const createForwarder = ({ path }) => { throw new Error("the option path is missing") }',
    'rejects.mjs': 'export const createForwarder = async () => { throw "a text" }',
    'never.mjs': 'export const createForwarder = async () => await new Promise(() => {})',
    'nothing.mjs': 'export const createForwarder = () => {}',
    'wrong.mjs': 'export const createForwarder = () => ({ forward: 1, order: "x", concurrency: 0, giveUpMs: "long", close: true })'
  })
  for (const [type, message] of [
    ['./gone.mjs', /^The module \.\/gone\.mjs cannot be loaded: Cannot find module/],
    ['gone', /^The module gone cannot be loaded: Cannot find package 'gone' imported from .*forwarders\.json$/],
    ['./empty.mjs', 'The module ./empty.mjs must export a function createForwarder(options, context)'],
    ['./syntax.mjs', /^The module .* cannot be loaded: /],
    ['./throws.mjs', /cannot be loaded: no such luck$/],
    ['./hangs.mjs', /cannot be loaded: it took longer than 200 ms$/],
    ['./options.mjs', 'createForwarder of ./options.mjs failed: the option path is missing'],
    ['./rejects.mjs', 'createForwarder of ./rejects.mjs failed: a text'],
    ['./never.mjs', 'createForwarder of ./never.mjs failed: it took longer than 200 ms'],
    ['./nothing.mjs', 'createForwarder of ./nothing.mjs returned something that is not a forwarder: it must be an object'],
    ['./wrong.mjs', /is not a forwarder: forward must be a function, order must be one of .*, concurrency must be >= 1, giveUpMs must be a number .*, close must be a function$/]
  ] as const) {
    const limitMs = /hangs|never/.test(type) ? 200 : 5000
    const error: unknown = await load(folder, type, {}, limitMs).catch((reason: unknown) => reason)
    t.type(error, ForwarderModuleError, type)
    t.match(error, { code: 'FORWARDER_MODULE_WRONG', message })
  }
})

t.test('a forwarder whose close fails or hangs delays the stop only briefly', async (t) => {
  const folder = t.testdir({
    'fails.mjs': 'export const createForwarder = () => ({ async forward () {}, close () { throw new Error("cannot") } })',
    'hangs.mjs': 'export const createForwarder = () => ({ async forward () {}, close: () => new Promise(() => {}) })'
  })
  await (await load(folder, './fails.mjs')).close?.()
  t.match(log.find('forwarder not closed').at(-1), { err: { message: 'cannot' } })
  await (await load(folder, './hangs.mjs')).close?.()
  t.match(log.find('forwarder not closed').at(-1), { err: { message: 'It took longer than 2000 ms' } })
})
