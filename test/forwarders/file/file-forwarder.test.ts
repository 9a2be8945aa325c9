import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Attempt } from '../../../src/delivery/forwarder.js'
import { createFileForwarder } from '../../../src/forwarders/file/file-forwarder.js'
import { fileLines } from '../../../src/forwarders/file/file-line.js'
import { parsePosition } from '../../../src/forwarders/file/file-position.js'
import { captureLog } from '../../support/capture-log.js'
import { sampleDelivery } from '../../support/sample-delivery.js'
import { fillInodes, mountedFolder } from '../../support/small-disk.js'

const signal = new AbortController().signal
const fileLine = (attempt: Attempt): string => fileLines([attempt]).toString().slice(0, -1)

t.test('each delivery is one line of JSON, with the event as it was sent', async (t) => {
  const path = join(t.testdir(), 'events.ndjson')
  const forwarder = createFileForwarder({ name: 'file', path, rotateBytes: 0, keepDays: 0, now: Date.now, logger: captureLog().logger })
  await forwarder.start?.(null)
  const deliveries = [1, 2, 3].map((index) => sampleDelivery({ index, receivedAt: Date.parse('2026-01-31T01:02:03Z') }))
  const attempts = deliveries.map((delivery) => ({ delivery, number: 1, replay: false }))
  const { outcomes, position } = await forwarder.forward(attempts, { signal })
  t.strictSame(outcomes, attempts.map(() => ({ status: 'forwarded' })))
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line))
  t.match(lines, deliveries.map(({ id, eventId }) => ({ id, eventId, receivedAt: '2026-01-31T01:02:03.000Z', eventType: 'customer.loyalty.tier.upgraded', verdict: 'valid' })))
  t.strictSame(lines[0].body, JSON.parse(Buffer.from(deliveries[0]?.rawBody ?? []).toString()).data)
  t.ok(parsePosition(position ?? null))

  const next = createFileForwarder({ name: 'file', path, rotateBytes: 0, keepDays: 0, now: Date.now, logger: captureLog().logger })
  await next.start?.(position ?? null)
  t.equal(readFileSync(path, 'utf8').trimEnd().split('\n').length, 3)
  await next.close?.()
  await forwarder.close?.()
})

t.test('each delivery is one line, whatever its body', (t) => {
  const attempt = (text: string | Buffer, rest: object = {}) => JSON.parse(fileLine({
    delivery: sampleDelivery({ rawBody: Buffer.from(text), sourceId: null, sourceObject: null, ...rest }), number: 1, replay: true
  }))
  t.match(attempt('{\r\n "a": 1.0,\n\t"b": "\\n" }'), { body: { a: 1, b: '\n' }, replay: true, source: null })
  t.match(attempt(Buffer.from([0xFF, 0x0A, 0x00])), { body: '/woA' })
  for (const text of ['{\n"a": 1.0}', '[1,\n2]', 'x\ny']) t.notMatch(fileLine({ delivery: sampleDelivery({ rawBody: Buffer.from(text) }), number: 1, replay: false }), '\n')
  t.match(fileLine({ delivery: sampleDelivery({ rawBody: Buffer.from('{"a": 1.0}') }), number: 1, replay: false }), '"body":{"a":1.0}}', 'numbers keep their digits')
  const notUtf8 = Buffer.concat([Buffer.from('{"data":{ "a":"é'), Buffer.from([0xC3]), Buffer.from('"},"event":{}}')])
  t.match(fileLine({ delivery: sampleDelivery({ rawBody: notUtf8, verdict: 'valid' }), number: 1, replay: false }), '"body":{"a":"é\uFFFD"}}', 'the line is UTF-8 even if the body was not')
  const lines = fileLines([1, 2].map((index) => ({ delivery: sampleDelivery({ index }), number: 1, replay: false }))).toString()
  t.match(lines.split('\n').map((line) => line.slice(-2)), ['}}', '}}', ''])
  t.end()
})

t.test('an invalid position counts as none', (t) => {
  for (const text of [null, 'x', '{}', '{"bytes":-1}', 'null']) t.equal(parsePosition(text), undefined)
  t.end()
})

t.test('an event file that cannot be created without inodes, or without a usable folder, is reported and does not hang', async (t) => {
  const attempts = [{ delivery: sampleDelivery(), number: 1, replay: false }]
  const at = (path: string) => createFileForwarder({ name: 'file', path, rotateBytes: 0, keepDays: 0, now: Date.now, logger: captureLog().logger })
  await t.rejects(at('/proc/nowhere/events.ndjson').forward(attempts, { signal }), { message: 'a file or its folder is not there', cause: { code: 'ENOENT' } })
  const volume = mountedFolder(t, 'size=8m,nr_inodes=4')
  if (volume === undefined) return t.comment('no right to mount a file system')
  const giveBack = fillInodes(volume)
  const forwarder = at(join(volume, 'folder', 'events.ndjson'))
  await t.rejects(forwarder.forward(attempts, { signal }), { message: 'the disk takes no more files: it has no inodes left' })
  giveBack()
  t.match(await forwarder.forward(attempts, { signal }), { outcomes: [{ status: 'forwarded' }] })
  await forwarder.close?.()
})
