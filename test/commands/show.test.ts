import t from 'tap'
import { join } from 'node:path'
import { connect } from '../../src/journal/sqlite/binding.js'
import { dead, forwarded, quarantinedDelivery, makeStore, newDelivery, now, retry, settleAll } from '../journal/sqlite/stored.js'
import { createHarness } from './harness.js'
import { indentJson } from '../../src/page/indent-json.js'
import { formatSpan } from '../../src/terminal/times.js'

const id = '01983f1c-5d2a-7c3e-8000-000000000001'
const body = '\uFEFF{"event":{"type":"customer.loyalty.tier.left"}, "data":{"n":1.10,"big":12345678901234567890,"none":{},"list":[1, []],"text":"a {b}, \\"c\\": d","poison":"\u009B"}}'

t.test('everything about a delivery is shown, with numbers as they were sent', async t => {
  const store = makeStore(t)
  store.append(newDelivery({ customerId: null }))
  const late = store.feed('late', { start: 'now' })
  const http = store.feed('http')
  store.feed('file')
  store.append(newDelivery({ id, rawBody: Buffer.from(body), receivedAt: now, customerId: null }))
  await settleAll(http, ({ delivery }) => delivery.id === id ? retry() : forwarded())
  await settleAll(late, dead)
  const harness = createHarness()
  t.equal(await harness.run('show', '01983F1C-5d2a', '--data-dir', store.dataDir), 0)
  const text = harness.stdout.text
  t.match(text, `Delivery    ${id}\n`)
  t.match(text, 'Received    2026-03-01T12:00:00.000Z (')
  t.match(text, 'Source      distribution distr_1\n')
  t.notMatch(text, 'Customer')
  t.match(text, /\n {2}content-type {2}application\/json\n/)
  t.match(text, /\n {2}file {2}pending\n/)
  t.match(text, /\n {2}http {2}retrying, attempt 2 due at .*Z, in (59 min|1 h).*: status 503\n/)
  t.match(text, /\n {2}late {2}dead since .*Z after attempt 1: status 410\n/)
  t.match(text, /http +1 +retry +12\.5 ms {2}status 503\n/)
  t.match(text, '    "n": 1.10,\n    "big": 12345678901234567890,\n    "none": {},\n    "list": [\n      1,\n      []\n    ],\n    "text": "a {b}, \\"c\\": d"')
  t.match(text, '"poison": "\\u009b"')

  const early = createHarness()
  const [first] = await (async () => {
    const list = createHarness()
    await list.run('deliveries', '--json', '--data-dir', store.dataDir, '--before', id)
    return list.stdout.text.split('\n')
  })()
  t.equal(await early.run('show', String(JSON.parse(first ?? '').id), '--data-dir', store.dataDir), 0)
  t.match(early.stdout.text, 'late  not for it: the forwarder was added later')
})

t.test('the raw body is written exactly as received, and in JSON as sent', async t => {
  const store = makeStore(t)
  const bytes = Buffer.from([0xFF, 0x00, 0x1B, 0x41])
  store.append(newDelivery({ id, rawBody: Buffer.from(body) }), newDelivery({ id: '02', rawBody: bytes, headers: {} }))
  const raw = createHarness()
  t.equal(await raw.run('show', id, '--raw', '--data-dir', store.dataDir), 0)
  t.equal(raw.stdout.text, body)
  const json = createHarness()
  t.equal(await json.run('show', id, '--json', '--data-dir', store.dataDir), 0)
  t.match(JSON.parse(json.stdout.text), { id, damaged: false, body: { data: { n: 1.1 } }, attempts: { length: 0 } })
  t.match(json.stdout.text, '12345678901234567890')
  t.match(json.stdout.text, '"poison":"\\u009b"', 'control characters are escaped')
  t.equal(json.stdout.text.trimEnd().split('\n').length, 1)
  const binary = createHarness()
  t.equal(await binary.run('show', '02', '--json', '--data-dir', store.dataDir), 0)
  t.equal(JSON.parse(binary.stdout.text).bodyBase64, bytes.toString('base64'))
  const people = createHarness()
  t.equal(await people.run('show', '02', '--data-dir', store.dataDir), 0)
  t.match(people.stdout.text, '\uFFFD\\u0000\\u001bA\n')
  const both = createHarness()
  t.equal(await both.run('show', '02', '--json', '--raw', '--data-dir', store.dataDir), 2)
})

t.test('quarantined, duplicate, faulty and replayed deliveries are marked as such', async t => {
  const store = makeStore(t)
  const http = store.feed('http')
  const quarantined = quarantinedDelivery({ dedupeKey: 'same', receivedAt: Date.now(), faults: [{ pointer: '', message: 'must be an object' }] })
  store.append(quarantined, { ...quarantined, id: 'copy' }, newDelivery({ id }))
  await settleAll(http, dead)
  const harness = createHarness()
  t.equal(await harness.run('show', quarantined.id, '--data-dir', store.dataDir), 0)
  t.match(harness.stdout.text, 'State       in quarantine: "tierhook quarantine release"')
  t.match(harness.stdout.text, 'Duplicates  1 more came')
  t.match(harness.stdout.text, '(the whole body)  must be an object')
  t.match(harness.stdout.text, 'http  quarantined')
  await createHarness().run('replay', id, '--data-dir', store.dataDir)
  const replayed = createHarness()
  t.equal(await replayed.run('show', id, '--data-dir', store.dataDir), 0)
  t.match(replayed.stdout.text, 'http  retrying as a replay, attempt 1 due now')
  await settleAll(http, forwarded)
  const done = createHarness()
  t.equal(await done.run('show', id, '--data-dir', store.dataDir), 0)
  t.match(done.stdout.text, /http +1 \(replay\) +forwarded +12\.5 ms {2}status 200/)
})

t.test('a damaged record is shown as one', async t => {
  const store = makeStore(t)
  store.append(newDelivery({ id }))
  const db = connect(join(store.dataDir, 'tierhook.db'))
  db.exec('DELETE FROM bodies')
  const harness = createHarness()
  t.equal(await harness.run('show', id, '--data-dir', store.dataDir), 0)
  t.match(harness.stdout.text, /^DAMAGED(.|\n)*\(it cannot be read\)\n$/)
  const raw = createHarness()
  t.equal(await raw.run('show', id, '--raw', '--data-dir', store.dataDir), 1)
  t.equal(raw.stdout.text, '')
  const json = createHarness()
  t.equal(await json.run('show', id, '--json', '--data-dir', store.dataDir), 0)
  t.match(JSON.parse(json.stdout.text), { damaged: true, bodyBase64: null })
  db.close()
})

t.test('an unknown or ambiguous id is refused', async t => {
  const store = makeStore(t)
  store.append(newDelivery({ id }), newDelivery({ id: `${id.slice(0, -1)}2` }))
  const ambiguous = createHarness()
  t.equal(await ambiguous.run('show', id.slice(0, 10), '--data-dir', store.dataDir), 2)
  t.match(ambiguous.stderr.text, `more than one delivery's id: write more of it, such as\n  ${id}\n`)
  const harness = createHarness()
  t.equal(await harness.run('show', 'abc', '--data-dir', store.dataDir), 2)
  t.match(harness.stderr.text, 'begins with, abc')
})

t.test('formatting does not change JSON', async t => {
  t.equal(indentJson('{"a":[ ],"b":{ },"c":-1.0e+05,"d":[true,null]}'), '{\n  "a": [],\n  "b": {},\n  "c": -1.0e+05,\n  "d": [\n    true,\n    null\n  ]\n}')
  t.equal(indentJson('"only \\\\\\" text"'), '"only \\\\\\" text"')
})

t.test('JSON of any depth and length is formatted as far as a person reads it, and the rest is shown unchanged', async t => {
  const deepest = `${'['.repeat(20_000)}{"a":[1, 2]}${']'.repeat(20_000)}`
  const lines = indentJson(deepest).split('\n')
  t.equal(lines[99], `${'  '.repeat(99)}[`)
  t.equal(lines[100], `${'  '.repeat(100)}${deepest.slice(100, -100).replace(' ', '')}`)
  t.equal(lines[101], `${'  '.repeat(99)}]`)
  t.equal(lines.length, 201)
  t.equal(indentJson('['.repeat(3)), '[\n  [\n    [\n      ', 'text that is not JSON does not throw')

  // Each of a million items would start with 200 characters of white space.
  const wide = `${'['.repeat(100)}${Array.from({ length: 1_000_000 }, () => '1').join()}${']'.repeat(100)}`
  const laidOut = indentJson(wide)
  t.ok(laidOut.length < 20_000_000)
  t.equal(laidOut.replaceAll(/\s/g, ''), wide)

  // A regular expression with two alternatives at each character overflows the stack.
  for (const text of ['x'.repeat(20_000_000), '\\"'.repeat(20_000_000)]) t.ok(indentJson(`{"a":"${text}"}`) === `{\n  "a": "${text}"}`)
})

t.test('durations are shown in two units', async t => {
  t.same([-5, 999, 59_400, 60_000, 61_000, 3_600_000, 5_400_000, 172_800_000, 180_000_000].map(formatSpan),
    ['0 s', '1 s', '59 s', '1 min', '1 min 1 s', '1 h', '1 h 30 min', '2 d', '2 d 2 h'])
})
