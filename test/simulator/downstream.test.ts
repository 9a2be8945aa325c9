import { appendFileSync, mkdirSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Acknowledged } from '../../src/simulator/acknowledged.js'
import { systemClock } from '../../src/simulator/clock.js'
import type { Downstream } from '../../src/simulator/downstream.js'
import { downstreamFile } from '../../src/simulator/downstream-file.js'
import { downstreamOperator } from '../../src/simulator/downstream-operator.js'
import { eventIds } from '../../src/simulator/event-ids.js'
import { verify } from '../../src/simulator/verify.js'
import { listen } from '../forwarders/http/support/servers.js'
import { steeredClock } from '../support/steered-clock.js'

const ids = eventIds('0123456789ab')
const accepted = { status: 202, message: 'Webhook accepted', verdict: 'valid', durationMs: 1 }
const never = new AbortController().signal
const line = (index: number): string => `{"id":"d${index}","eventId":"${ids.eventId(index)}","body":{"städte":["Köln"]}}\n`

/** A number of acknowledged events. */
function acknowledge (count: number): Acknowledged {
  const acknowledged = new Acknowledged({ eventIds: ids, keepReceiverIds: false })
  for (let index = 0; index < count; index++) acknowledged.add(index, { ...accepted, id: `d${index}` })
  return acknowledged
}

/** Searches once, without waiting. */
async function verifyNow (downstream: Downstream, acknowledged: Acknowledged) {
  return await verify({ downstream, acknowledged, withinMs: 0, clock: steeredClock(), signal: never })
}

t.test('events are found in a file and in rotated files, and earlier lines do not count', async t => {
  const path = join(t.testdir({ 'events.ndjson': line(0), 'events.ndjson.old': line(1) }), 'events.ndjson')
  const downstream = downstreamFile(path)
  await downstream.begin()
  appendFileSync(path, line(2))
  renameSync(path, `${path}.20260131T000000.000Z`)
  writeFileSync(`${path}.set-aside-20260131T000000.000-1`, line(2))
  writeFileSync(path, line(3) + line(3) + 'not JSON\n\n' + line(4).slice(0, -1))
  const verification = await verifyNow(downstream, acknowledge(5))
  t.match(verification, { downstream: path, complete: false, lookedFor: 5, foundOnce: 1, missing: 3, foundMoreThanOnce: 1 })
  t.strictSame(verification.missingEvents, [ids.eventId(0), ids.eventId(1), ids.eventId(4)], 'a line without a line break does not count yet')
  t.strictSame(verification.repeatedEvents, [ids.eventId(3)])
})

t.test('the search waits for late lines, through a rotation and a new file', async t => {
  const path = join(t.testdir(), 'made-later', 'events.ndjson')
  const downstream = downstreamFile(path)
  await downstream.begin()
  const looked: number[] = []
  const steps = [
    () => { mkdirSync(join(path, '..')) },
    () => { writeFileSync(path, line(0) + line(1)) },
    () => { renameSync(path, `${path}.1`) },
    () => { writeFileSync(path, line(2)) }
  ]
  const verification = await verify({
    downstream,
    acknowledged: acknowledge(3),
    withinMs: 60_000,
    clock: systemClock,
    signal: never,
    onLook: found => {
      looked.push(found)
      steps.shift()?.()
    }
  })
  t.strictSame(looked, [0, 0, 2, 2])
  t.match(verification, { complete: true, foundOnce: 3 })
})

t.test('lines that a restart cut off and wrote again are counted once', async t => {
  const path = join(t.testdir({ 'events.ndjson': '' }), 'events.ndjson')
  const downstream = downstreamFile(path)
  await downstream.begin()
  const acknowledged = acknowledge(2)
  appendFileSync(path, line(0))
  await downstream.look(acknowledged, { again: false, signal: never })
  truncateSync(path)
  appendFileSync(path, line(1) + line(0))
  await downstream.look(acknowledged, { again: false, signal: never })
  t.match(await verifyNow(downstream, acknowledged), { complete: true, foundOnce: 2, foundMoreThanOnce: 0 })
})

t.test('lines longer than the read buffer are read whole', async t => {
  const path = join(t.testdir({}), 'events.ndjson')
  const downstream = downstreamFile(path)
  await downstream.begin()
  const padded = (index: number): string => `{"id":"receiver-${index}","pad":"${'ö'.repeat(700_000)}"}\n`
  writeFileSync(path, padded(0) + padded(1) + padded(2))
  const acknowledged = new Acknowledged({ eventIds: undefined, keepReceiverIds: false })
  for (let index = 0; index < 3; index++) acknowledged.add(index, { ...accepted, id: `receiver-${index}` })
  t.match(await verifyNow(downstream, acknowledged), { complete: true, foundOnce: 3 })
})

t.test('an unreadable file is reported', async t => {
  const directory = t.testdir({ file: '' })
  await t.rejects(downstreamFile(join(directory, 'file', 'events.ndjson')).begin(), { code: 'DOWNSTREAM', message: /cannot be read: ENOTDIR/ })
})

t.test('a stopped search returns what it found so far', async t => {
  const path = join(t.testdir({ 'events.ndjson': '' }), 'events.ndjson')
  const stop = new AbortController()
  const downstream = downstreamFile(path)
  await downstream.begin()
  appendFileSync(path, line(0))
  const verification = await verify({ downstream, acknowledged: acknowledge(2), withinMs: 60_000, clock: systemClock, signal: stop.signal, onLook: () => { stop.abort() } })
  t.match(verification, { complete: false, foundOnce: 1, missing: 1 })
})

interface OperatorDelivery { state: string, forwarders: Array<{ forwarder: string, status: string }> }

/** A server with the part of the operator's API that the test needs. */
async function startOperator (t: Test, deliveries: ReadonlyMap<string, OperatorDelivery>, token = 'the-token') {
  const asked: string[] = []
  const server = createServer((request, response) => {
    const answer = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(body))
    }
    if (request.headers.authorization !== `Bearer ${token}`) return answer(401, { title: 'No' })
    if (request.url === '/ops/api/status') return answer(200, { version: '1' })
    // Without the body, because each reading of it would be logged.
    const id = /^\/ops\/api\/deliveries\/(.+)\?body=false$/.exec(request.url ?? '')?.[1] ?? ''
    asked.push(id)
    const delivery = deliveries.get(id)
    answer(delivery === undefined ? 404 : 200, delivery === undefined ? { title: 'There is nothing' } : { id, ...delivery })
  })
  const { port } = await listen(t, server)
  return { url: new URL(`http://127.0.0.1:${port}/ops/`), asked }
}

function uuid (index: number): string {
  return `01983f1c-5d2a-7c3e-8000-${index.toString(16).padStart(12, '0')}`
}

t.test('the operator\'s API shows which events every forwarder has forwarded, and why the others have not arrived', async t => {
  const forwarded = { forwarder: 'file', status: 'forwarded' }
  const deliveries = new Map<string, OperatorDelivery>([
    [uuid(0), { state: 'accepted', forwarders: [forwarded, { forwarder: 'later', status: 'before-start' }] }],
    [uuid(1), { state: 'accepted', forwarders: [forwarded, { forwarder: 'http', status: 'retrying' }] }],
    [uuid(2), { state: 'quarantined', forwarders: [] }],
    [uuid(5), { state: 'accepted', forwarders: [forwarded, { forwarder: 'http', status: 'pending' }] }]
  ])
  const operator = await startOperator(t, deliveries)
  const downstream = downstreamOperator({ url: operator.url, token: 'the-token', tokenAdvice: 'do this' })
  t.teardown(downstream.close)
  await downstream.begin()
  const acknowledged = new Acknowledged({ eventIds: ids, keepReceiverIds: true })
  for (const index of [0, 1, 2, 3, 5]) acknowledged.add(index, { ...accepted, id: uuid(index) })
  acknowledged.add(4, { ...accepted, id: 'no-uuid' })
  const clock = steeredClock()
  const passing: Array<Promise<void>> = []
  const verification = await verify({
    downstream,
    acknowledged,
    withinMs: 1000,
    clock,
    signal: never,
    onLook: () => {
      deliveries.set(uuid(5), { state: 'accepted', forwarders: [forwarded] })
      passing.push(clock.pass(600))
    }
  })
  await Promise.all(passing)
  t.match(verification, { downstream: operator.url.href, complete: false, lookedFor: 6, foundOnce: 2, missing: 4 })
  t.strictSame(verification.missingEvents.map(text => text.replace(/^.*?: /, '')), [
    'retrying at http', 'it is in quarantine', 'the service does not know it', 'its answer had no delivery id'
  ])
  t.equal(operator.asked.filter(id => id === uuid(0)).length, 1, 'a delivery that was found is not asked for again')
})

t.test('asking for many deliveries at once causes no leak warning of Node.js', async t => {
  const warnings: string[] = []
  const warned = ({ name }: Error): void => { warnings.push(name) }
  process.on('warning', warned)
  t.teardown(() => process.off('warning', warned))
  const count = 400
  const deliveries = new Map(Array.from({ length: count }, (_, index): [string, OperatorDelivery] => [uuid(index), { state: 'accepted', forwarders: [] }]))
  const operator = await startOperator(t, deliveries)
  const downstream = downstreamOperator({ url: operator.url, token: 'the-token', tokenAdvice: '' })
  t.teardown(downstream.close)
  const acknowledged = new Acknowledged({ eventIds: ids, keepReceiverIds: true })
  for (let index = 0; index < count; index++) acknowledged.add(index, { ...accepted, id: uuid(index) })
  t.match(await verify({ downstream, acknowledged, withinMs: 0, clock: steeredClock(), signal: new AbortController().signal }), { complete: true, foundOnce: count })
  t.strictSame(warnings, [])
})

t.test('an operator\'s API that refuses access, is another server, or is not there stops the command before any event is sent', async t => {
  const operator = await startOperator(t, new Map())
  const cases: ReadonlyArray<readonly [URL, RegExp]> = [
    [operator.url, /answered 401: do this/],
    [new URL('http://127.0.0.1:1/'), /cannot be asked/]
  ]
  for (const [url, message] of cases) {
    const downstream = downstreamOperator({ url, token: undefined, tokenAdvice: 'do this' })
    await t.rejects(downstream.begin(), { code: 'DOWNSTREAM', message })
    await downstream.close()
  }
  const elsewhere = downstreamOperator({ url: new URL('/elsewhere', operator.url), token: 'the-token', tokenAdvice: 'do this' })
  await t.rejects(elsewhere.begin(), { message: /answered 404: name the operator's listener/ })
  await elsewhere.close()
})
