import { mock } from 'node:test'
import t from 'tap'
import { appendFileSync, cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from '../../src/journal/sqlite/binding.js'
import { databasePath } from '../../src/journal/sqlite/database.js'
import { readErasures } from '../../src/journal/sqlite/erase/erasures-file.js'
import { createTraces, digestOf } from '../../src/journal/traces.js'
import { dead, forwarded, quarantinedDelivery, makeStore, newDelivery, retry, settleAll } from '../journal/sqlite/stored.js'
import { createHarness } from './harness.js'

const person = { id: 'cust_Erased0001', sourceId: 'crm-77', email: 'Jan.Kowalski@example.com', name: 'Jan Kowalski' }

function ofPerson (customer: object, fields = {}): ReturnType<typeof newDelivery> {
  return newDelivery({ customerId: person.id, rawBody: Buffer.from(JSON.stringify({ customer: { name: person.name, ...customer } })), ...fields })
}

/** The words that are anywhere in the database's files. */
function wordsIn (dataDir: string, words: readonly string[]): string[] {
  const text = [databasePath(dataDir), `${databasePath(dataDir)}-wal`].filter(path => existsSync(path)).map(path => readFileSync(path, 'latin1')).join('\n').toLowerCase()
  return words.filter(word => text.includes(word.toLowerCase()))
}

async function run (...args: string[]) {
  const harness = createHarness()
  const code = await harness.run(...args)
  return { code, stdout: harness.stdout.text, stderr: harness.stderr.text }
}

t.test('a person is found in any text, whatever the length of its words', async t => {
  const finds = createTraces([{ by: 'customer', digest: digestOf('cust_1') }, { by: 'email', digest: digestOf('jan@shop.example') }])
  // A text that is searched again at each of its dots takes minutes, and a run of letters of two units overflows the stack.
  const dots = '.'.repeat(300_000)
  const startedAt = performance.now()
  for (const word of [`x${dots}x`, `${dots}cust_12`, '\u{1D4B3}'.repeat(10_000_000), 'a'.repeat(20_000_000)]) t.notOk(finds(`{"a":"${word}"}`))
  for (const text of [`${dots}cust_1${dots}`, `(jan@shop.example). ${dots}`, `a,${'b'.repeat(2000)},CUST_1`, `${'b'.repeat(999)} cust_1`, '\\u0063ust_1']) t.ok(finds(`{"a":"${text}"}`))
  t.ok(performance.now() - startedAt < 60_000)
})

t.test('no byte of a person is left in the database, and the rest of an event is neither damaged nor replayable', async t => {
  const folder = t.testdir({ data: {} })
  const store = makeStore(t, join(folder, 'data'))
  const http = store.feed('http')
  const mine = ofPerson({ id: person.id, email: person.email, source_id: person.sourceId }, { dedupeKey: 'event:1', headers: { 'user-agent': person.id } })
  const escaped = ofPerson({}, { customerId: null, rawBody: Buffer.from(`{"email":"${[...person.email].map(char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"}`) })
  const bySource = ofPerson({ source_id: person.sourceId }, { customerId: null })
  const other = newDelivery({ customerId: 'cust_Erased00012', rawBody: Buffer.from('{"n":"crm-77","customer":{"id":"cust_Erased00012","email":"xjan.kowalski@example.com"}}') })
  store.append(mine, escaped, bySource, other, ...Array.from({ length: 250 }, () => newDelivery()))
  await settleAll(http, ({ delivery }) => delivery.id === other.id ? dead() : { status: 'forwarded', detail: delivery.id === mine.id ? `200 hello ${person.email}` : 'status 200' })
  await run('replay', '--type', 'customer.loyalty.tier.left', '--customer', person.id, '--forwarder', 'http', '--data-dir', store.dataDir)
  await settleAll(http, forwarded)
  const backup = join(folder, 'older.db')
  t.equal((await run('backup', backup, '--data-dir', store.dataDir)).code, 0)

  t.match((await run('verify', '--data-dir', store.dataDir)).stdout, 'none damaged')
  const who = ['--customer', person.id, '--email', person.email.toUpperCase(), '--source-id', person.sourceId]
  const dry = await run('erase', ...who, '--dry-run', '--data-dir', store.dataDir)
  t.equal(dry.code, 0)
  t.match(dry.stdout, '3 deliveries would be erased')
  t.equal((await run('show', mine.id, '--raw', '--data-dir', store.dataDir)).stdout, Buffer.from(mine.rawBody).toString())

  const done = await run('erase', ...who, '--data-dir', store.dataDir)
  t.equal(done.code, 0, done.stderr)
  t.match(done.stdout, '3 deliveries erased')
  t.match(done.stdout, `${mine.id} forwarded to http`)
  t.match(done.stdout, 'events.ndjson*')
  // The other customer's address and source id contain this person's.
  t.strictSame(wordsIn(store.dataDir, [person.name, '"email":"jan.kowalski', 'hello', '"cust_Erased0001"', `"source_id":"${person.sourceId}"`, '\\u004a']), [])
  t.strictSame(readFileSync(join(store.dataDir, 'erasures.ndjson'), 'utf8').trim().split('\n').map(line => (JSON.parse(line) as { by: string }).by), ['customer', 'source_id', 'email'])
  t.notMatch(readFileSync(join(store.dataDir, 'erasures.ndjson'), 'utf8'), person.id)

  const verified = await run('verify', '--full', '--data-dir', store.dataDir)
  t.equal(verified.code, 0, verified.stdout)
  t.match(verified.stdout, '254 deliveries checked, none damaged', [mine.id, escaped.id, bySource.id, other.id].join(' '))
  t.match((await run('deliveries', '--limit', '500', '--data-dir', store.dataDir)).stdout, new RegExp(`${mine.id} .* erased`))
  t.match((await run('show', mine.id, '--data-dir', store.dataDir)).stdout, 'nothing of the event is left')
  const replayed = await run('replay', mine.id, '--data-dir', store.dataDir)
  t.equal(replayed.code, 1)
  t.match(replayed.stderr, `${mine.id} is erased`)
  t.equal((await run('show', other.id, '--raw', '--data-dir', store.dataDir)).stdout, Buffer.from(other.rawBody).toString(), 'a customer whose id only starts with the same text is kept')
  t.equal((await settleAll(store.feed('new'), forwarded)).length, 251, 'a forwarder that starts at the first event does not get the erased deliveries')
  store.append(ofPerson({ id: person.id }, { dedupeKey: 'event:1' }))
  t.match((await run('erase', ...who, '--dry-run', '--data-dir', store.dataDir)).stdout, '0 deliveries would be erased', 'a copy of an erased event is still a duplicate')

  const restored = join(folder, 'restored')
  const back = await run('restore', backup, '--erasures', join(store.dataDir, 'erasures.ndjson'), '--data-dir', restored)
  t.equal(back.code, 0, back.stderr)
  t.match(back.stdout, '3 deliveries erased again')
  t.strictSame(wordsIn(restored, [person.name, '"cust_Erased0001"', 'hello']), [])
  cpSync(join(restored, 'erasures.ndjson'), join(folder, 'kept', 'erasures.ndjson'))
  t.match((await run('restore', backup, '--data-dir', join(folder, 'kept'))).stdout, '3 deliveries erased again', 'the erasure list in the data folder is applied')
  t.match((await run('restore', backup, '--erasures', join(folder, 'no'), '--data-dir', join(folder, 'x'))).stderr, 'There is no list of erased people')
})

t.test('unfinished deliveries are erased only by force, and without it nothing of that person is erased', async t => {
  const store = makeStore(t)
  const http = store.feed('http')
  const [done, waits, died, pending] = [0, 1, 2, 3].map(() => ofPerson({ id: person.id }))
  const quarantined = quarantinedDelivery({ customerId: person.id })
  if (done === undefined || waits === undefined || died === undefined || pending === undefined) throw new Error('Expected four deliveries')
  store.append(done, waits, died, quarantined)
  await settleAll(http, ({ delivery }) => delivery.id === waits.id ? retry() : delivery.id === died.id ? dead() : forwarded())
  store.append(pending)
  const refused = await run('erase', '--customer', person.id, '--data-dir', store.dataDir)
  t.equal(refused.code, 1)
  t.match(refused.stderr, 'Nothing was erased: ')
  t.match(refused.stderr, `${waits.id} waits for a forwarder`)
  t.match(refused.stderr, `${pending.id} waits for a forwarder`)
  t.match(refused.stderr, `${quarantined.id} is in quarantine`)
  t.notOk(existsSync(join(store.dataDir, 'erasures.ndjson')))
  t.equal((await run('show', done.id, '--raw', '--data-dir', store.dataDir)).stdout, Buffer.from(done.rawBody).toString())

  const forced = await run('erase', '--customer', person.id, '--force', '--data-dir', store.dataDir)
  t.equal(forced.code, 0, forced.stderr)
  t.match(forced.stdout, '5 deliveries erased')
  t.strictSame(wordsIn(store.dataDir, [person.id, person.name]), [])
  t.match((await run('dead-letters', '--data-dir', store.dataDir)).stdout, /^(?!.*http)/)
  t.strictSame(await settleAll(http, forwarded), [], 'a forwarder gets no erased delivery, even from memory')
  t.equal((await run('verify', '--full', '--data-dir', store.dataDir)).code, 0)
  t.equal((await run('erase', '--data-dir', store.dataDir)).code, 2)
})

t.test('an unusable list of erased people is reported in a sentence, and nothing is erased', async t => {
  const dataDir = t.testdir({ 'erasures.ndjson': {} })
  const store = makeStore(t, dataDir)
  const http = store.feed('http')
  store.append(ofPerson({}))
  await settleAll(http, forwarded)
  const { code, stderr } = await run('erase', '--customer', person.id, '--data-dir', dataDir)
  t.equal(code, 1)
  t.match(stderr, /^tierhook: The list of erased people .*erasures\.ndjson cannot be read or written \(EISDIR\): look for room, and run as the user that the service runs as\n$/)
  t.strictSame(wordsIn(dataDir, [person.name]), [person.name])
})

t.test('a list of erased people without a line break at its end keeps its last line intact', async t => {
  const dataDir = t.testdir()
  const list = join(dataDir, 'erasures.ndjson')
  makeStore(t, dataDir).append(newDelivery())
  t.equal((await run('erase', '--customer', 'cust_a', '--data-dir', dataDir)).code, 0)
  writeFileSync(list, `\n${readFileSync(list, 'utf8').trimEnd()}`)
  t.equal((await run('erase', '--customer', 'cust_b', '--data-dir', dataDir)).code, 0)
  t.equal((await run('erase', '--customer', 'cust_c', '--data-dir', dataDir)).code, 0)
  t.same(readErasures(list).map(({ digest }) => digest), ['cust_a', 'cust_b', 'cust_c'].map(digestOf))
  appendFileSync(list, 'half a line')
  t.match((await run('erase', '--customer', 'cust_d', '--data-dir', dataDir)).stderr, 'Line 5 of the list of erased people')
})

t.test('a reader that keeps the WAL from being emptied is reported, even if nothing else shows that old values are left', async t => {
  const dataDir = t.testdir()
  const store = makeStore(t, dataDir)
  const http = store.feed('http')
  store.append(ofPerson({ source_id: person.sourceId }))
  await settleAll(http, forwarded)
  const reader = connect(databasePath(dataDir))
  t.teardown(reader.close)
  reader.exec('BEGIN; SELECT count(*) FROM deliveries')
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => { mock.timers.reset() })
  let over = false
  const running = run('erase', '--source-id', person.sourceId, '--data-dir', dataDir).finally(() => { over = true })
  while (!over) {
    mock.timers.tick(1000)
    await new Promise(setImmediate)
  }
  const { code, stdout, stderr } = await running
  t.equal(code, 1)
  t.match(stdout, '1 delivery erased')
  t.match(stderr, 'The write-ahead log still contains erased data')
  reader.exec('COMMIT')
  mock.timers.reset()
  t.equal((await run('erase', '--source-id', person.sourceId, '--data-dir', dataDir)).code, 0)
})
