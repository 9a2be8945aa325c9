import { setTimeout as sleep } from 'node:timers/promises'
import { join } from 'node:path'
import { mkdtempSync } from 'node:fs'
import t from 'tap'
import { createFileForwarder } from '../../src/forwarders/file/file-forwarder.js'
import { createLogForwarder } from '../../src/forwarders/log-forwarder.js'
import type { CustomForwarder } from '../../src/forwarders/custom-forwarder.js'
import { forwarderContract } from '../../src/testing/index.js'
import { captureLog } from '../support/capture-log.js'
import { forwarderTo } from './http/support/forwarder.js'
import { httpDestination } from './http/support/servers.js'

t.test('the log forwarder keeps the contract', async (t) => {
  const create = (): CustomForwarder => createLogForwarder({ name: 'log', output: { write: () => {}, flushed: async () => {} }, withData: true })
  for (const { title, run } of forwarderContract(create)) await t.test(title, async () => { await run() })
})

t.test('the file forwarder keeps the contract', async (t) => {
  const folder = t.testdir()
  const create = (): CustomForwarder => createFileForwarder({
    name: 'file', path: join(mkdtempSync(`${folder}/`), 'events.ndjson'), rotateBytes: 0, keepDays: 0, now: Date.now, logger: captureLog().logger
  })
  for (const { title, run } of forwarderContract(create)) await t.test(title, async () => { await run() })
})

for (const format of ['voucherify', 'cloudevents-structured', 'cloudevents-binary'] as const) {
  t.test(`the http forwarder keeps the contract with the format ${format}`, async (t) => {
    const { url } = await httpDestination(t)
    for (const { title, run } of forwarderContract(() => forwarderTo(t, url, { format }))) await t.test(title, async () => { await run() })
  })
}

const ok = { status: 'forwarded' } as const
const good: CustomForwarder = { forward: async (attempts) => ({ outcomes: attempts.map(() => ok) }) }

/** The titles of the tests that a forwarder fails, with the reasons. */
async function failures (forwarder: unknown, limitMs = 5000): Promise<ReadonlyMap<string, string>> {
  const failed = new Map<string, string>()
  for (const { title, run } of forwarderContract(() => forwarder as CustomForwarder, { limitMs })) {
    await run().catch((error: unknown) => { failed.set(title, String(error)) })
  }
  return failed
}

t.test('a minimal forwarder keeps the contract', async (t) => {
  t.strictSame([...await failures(good)], [])
  t.strictSame([...await failures({ ...good, batchSize: 1000, concurrency: 1000, start: async () => {}, check: async () => {}, close: async () => {} })], [])
})

t.test('a forwarder that breaks the contract fails its tests', async (t) => {
  const first = async (forwarder: unknown, limitMs?: number): Promise<string> => [...await failures(forwarder, limitMs)].map(([title, why]) => `${title}: ${why}`)[0] ?? ''
  t.match(await first({}), /forward is required|forward must be a function/)
  t.match(await first({ ...good, order: 'random' }), /order must be one of/)
  t.match(await first({ forward: async () => undefined }), /forward must return \{ outcomes \}/)
  t.match(await first({ forward: async () => ({ outcomes: [] }) }), /one outcome for each attempt/)
  t.match(await first({ forward: async () => ({ outcomes: [ok, ok] }) }), /one outcome for each attempt/)
  t.match(await first({ forward: async () => ({ outcomes: ['forwarded'] }) }), /must have a status/)
  t.match(await first({ forward: async () => ({ outcomes: [{ status: 'done' }] }) }), /must be forwarded, retry or dead/)
  t.match(await first({ forward: async () => ({ outcomes: [{ status: 'dead' }] }) }), /must have a reason/)
  t.match(await first({ forward: async () => ({ outcomes: [{ status: 'retry', reason: 'not now' }] }) }), /came to nothing: .*not now/)
  t.match(await first({ forward: async () => ({ outcomes: [ok], position: 1 }) }), /a position must be a text/)
  t.match(await first({ forward: async () => ({ outcomes: [{ ...ok, detail: 1 }] }) }), /must be texts/)
  t.match(await first({ forward: async () => ({ outcomes: [{ status: 'retry', reason: 'not now', afterMs: 'soon' }] }) }), /afterMs must be a number/)
  t.match(await first({ ...good, start: async () => { await new Promise(() => {}) } }, 50), /start took longer than 50 ms/)
  t.match(await first({ ...good, check: async () => { throw new Error('nobody there') } }), /tells, if it can.*nobody there/)
})

t.test('a forwarder with one fault fails one test', async (t) => {
  const titles = async (forwarder: unknown, limitMs?: number): Promise<readonly string[]> => [...(await failures(forwarder, limitMs)).keys()]
  let closed = 0
  t.strictSame(await titles({
    ...good,
    start: async () => { closed = 0 },
    close: async () => { if (++closed === 2) throw new Error('closed already') }
  }), ['closes once and once more'])
  t.strictSame(await titles({
    forward: async (...[attempts, { signal }]: Parameters<CustomForwarder['forward']>) => {
      if (signal.aborted) await new Promise(() => {})
      await sleep(1)
      return { outcomes: attempts.map(() => ok) }
    }
  }, 100), ['leaves off when it is told before it begins, and goes on later'])
  t.strictSame(await titles({
    forward: async (attempts: Parameters<CustomForwarder['forward']>[0]) => {
      for (const { delivery } of attempts) JSON.parse(Buffer.from(delivery.rawBody).toString())
      return { outcomes: attempts.map(() => ok) }
    }
  }), ['has an outcome for a body that is not JSON', 'has an outcome for an empty body'])
  t.strictSame(await titles({
    forward: async (attempts: Parameters<CustomForwarder['forward']>[0]) => {
      for (const { delivery } of attempts) delivery.rawBody.fill(0)
      return { outcomes: attempts.map(() => ok) }
    }
  }), ['leaves the deliveries as they are'])
})
