import { getEventListeners } from 'node:events'
import { createServer as createTlsServer } from 'node:https'
import { createServer as createNetServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createServer as createRawTlsServer } from 'node:tls'
import t from 'tap'
import { systemClock } from '../../../src/delivery/clock.js'
import { createDispatcher } from '../../../src/delivery/dispatcher.js'
import type { Forwarder, Outcome } from '../../../src/delivery/forwarder.js'
import { createPump } from '../../../src/delivery/pump.js'
import { createWholeJournal } from '../../support/whole-journal.js'
import { captureLog } from '../../support/capture-log.js'
import { sampleNewDelivery } from '../../support/sample-delivery.js'
import { attempt, attemptAt, attemptWith, forwarderTo } from './support/forwarder.js'
import { freePort, httpDestination, listen, rawDestination, selfSigned, type Teardown } from './support/servers.js'

async function outcomeOfStatus (t: Teardown, status: number, headers: Record<string, string> = {}, options = {}): Promise<Outcome> {
  const destination = await httpDestination(t, (_request, response) => { response.writeHead(status, headers).end('the reason') })
  const forwarder = forwarderTo(t, destination.url, options)
  const outcome = await attempt(forwarder)
  await forwarder.close?.()
  await destination.deserted()
  return outcome
}

t.test('every 2xx is a success, and the beginning of the answer is kept', async (t) => {
  for (const status of [200, 201, 202, 299]) t.strictSame(await outcomeOfStatus(t, status), { status: 'forwarded', detail: `status ${status}`, answer: 'the reason' })
  t.strictSame(await outcomeOfStatus(t, 204), { status: 'forwarded', detail: 'status 204' })
})

t.test('a redirect is not followed and is a failure like any other', async (t) => {
  const elsewhere = await httpDestination(t)
  for (const status of [301, 302, 303, 307, 308]) {
    t.strictSame(await outcomeOfStatus(t, status, { location: elsewhere.url }), { status: 'retry', reason: `status ${status}`, answer: 'the reason' })
  }
  t.strictSame(await outcomeOfStatus(t, 304), { status: 'retry', reason: 'status 304' })
  t.equal(elsewhere.received.length, 0)
})

t.test('temporary failures are retried, however often they happen', async (t) => {
  for (const status of [407, 408, 425, 429, 500, 501, 502, 503, 504, 599, 600, 999]) {
    const destination = await httpDestination(t, (_request, response) => { response.writeHead(status).end() })
    const forwarder = forwarderTo(t, destination.url)
    const given = attemptAt()
    for (let number = 1; number <= 7; number++) t.strictSame(await attempt(forwarder, { ...given, number }), { status: 'retry', reason: `status ${status}` })
  }
})

t.test('410, or another configured status, is dead at once', async (t) => {
  t.strictSame(await outcomeOfStatus(t, 410), { status: 'dead', reason: 'status 410', answer: 'the reason' })
  const permanentStatus = [404, 503, 302]
  for (const status of permanentStatus) t.match(await outcomeOfStatus(t, status, {}, { permanentStatus }), { status: 'dead' })
  t.match(await outcomeOfStatus(t, 410, {}, { permanentStatus }), { status: 'retry' })
})

t.test('any other 4xx is dead the fifth time, counted for each delivery and separately from other failures', async (t) => {
  for (const status of [400, 401, 403, 404, 409, 422, 451, 499]) {
    let answer = 503
    const destination = await httpDestination(t, (_request, response) => { response.writeHead(answer).end() })
    const forwarder = forwarderTo(t, destination.url)
    const given = attemptAt()
    const other = attemptAt()
    let number = 1
    for (; number <= 20; number++) t.match(await attempt(forwarder, { ...given, number }), { status: 'retry' })
    answer = status
    for (let refusal = 1; refusal <= 4; refusal++, number++) {
      t.strictSame(await attempt(forwarder, { ...given, number }), { status: 'retry', reason: `status ${status}` })
      t.match(await attempt(forwarder, { ...other, number: refusal }), { status: 'retry' })
    }
    t.strictSame(await attempt(forwarder, { ...given, number }), { status: 'dead', reason: `refused 5 times: status ${status}` })
    t.match(await attempt(forwarder, { ...given, number: 1, replay: true }), { status: 'retry' }, 'a replay starts with a new count of refusals')
    t.match(await attempt(forwarder, { ...other, number: 5 }), { status: 'dead' })
  }
})

t.test('Retry-After is respected in both forms, up to a limit', async (t) => {
  t.match(await outcomeOfStatus(t, 429, { 'retry-after': '7' }), { status: 'retry', afterMs: 7000 })
  t.match(await outcomeOfStatus(t, 503, { 'retry-after': '7' }), { status: 'retry', afterMs: 7000 })
  t.match(await outcomeOfStatus(t, 404, { 'retry-after': '7' }), { status: 'retry', afterMs: 7000 })
  t.match(await outcomeOfStatus(t, 429, { 'retry-after': '999999' }), { status: 'retry', afterMs: 300_000 })
  const date = new Date('2026-01-31T00:00:00Z')
  const inAMinute = { 'retry-after': new Date(date.getTime() + 60_000).toUTCString(), date: date.toUTCString() }
  t.match(await outcomeOfStatus(t, 429, inAMinute), { status: 'retry', afterMs: 60_000 })
  t.notOk('afterMs' in await outcomeOfStatus(t, 429, { 'retry-after': 'soon' }))
})

function write (text: string): (socket: Socket) => void {
  return (socket) => { socket.write(text) }
}

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n'

/** Destinations with their behaviour on a connection, and the outcome of the attempt. */
const hostile: ReadonlyArray<readonly [string, (socket: Socket) => void, object]> = [
  ['hangs before the headers', () => {}, { status: 'retry', reason: 'There was no whole answer within 300 ms' }],
  ['hangs in the middle of the headers', write('HTTP/1.1 200 OK\r\nContent-'), { status: 'retry', reason: /^There was no whole answer/ }],
  ['hangs in the middle of the body', write(`${HEAD}half`), { status: 'retry', reason: 'status 200 (broke off: There was no whole answer within 300 ms)', answer: 'half' }],
  ['hangs in the middle of a refusal', write('HTTP/1.1 410 Gone\r\nContent-Length: 100\r\n\r\nhalf'), { status: 'dead', reason: 'status 410', answer: 'half' }],
  ['sends a byte now and then for ever', (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n')
    const timer = setInterval(() => { socket.write('.') }, 20)
    socket.on('close', () => { clearInterval(timer) })
  }, { status: 'retry', reason: 'status 200 (broke off: There was no whole answer within 300 ms)', answer: /^\.+$/ }],
  ['answers endlessly', (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n')
    const more = (): void => { while (!socket.destroyed && socket.write('x'.repeat(65_536))); }
    socket.on('drain', more)
    more()
  }, { status: 'forwarded', detail: 'status 200', answer: `${'x'.repeat(256)}…` }],
  ['refuses endlessly', (socket) => {
    socket.write('HTTP/1.1 500 Oh\r\n\r\n')
    const more = (): void => { while (!socket.destroyed && socket.write('x'.repeat(65_536))); }
    socket.on('drain', more)
    more()
  }, { status: 'retry', reason: 'status 500', answer: `${'x'.repeat(256)}…` }],
  ['resets before the headers', (socket) => { socket.resetAndDestroy() }, { status: 'retry', reason: /ECONNRESET/ }],
  ['resets in the middle of the body', (socket) => {
    socket.write(`${HEAD}half`)
    setTimeout(() => { socket.resetAndDestroy() }, 50)
  }, { status: 'retry', reason: /^status 200 \(broke off: .*ECONNRESET\)$/, answer: 'half' }],
  ['closes before the headers', (socket) => { socket.end() }, { status: 'retry', reason: 'other side closed' }],
  ['closes in the middle of the body', (socket) => { socket.end(`${HEAD}half`) }, { status: 'retry', reason: /^status 200 \(broke off: other side closed\)$/, answer: 'half' }],
  ['speaks another protocol', write('SSH-2.0-OpenSSH_9.6\r\n'), { status: 'retry', reason: /Expected HTTP/ }],
  ['sends endless headers', (socket) => {
    socket.write(`HTTP/1.1 200 OK\r\n${`X-A: ${'a'.repeat(1000)}\r\n`.repeat(100)}`)
  }, { status: 'retry', reason: /Headers Overflow/i }],
  ['switches protocols', write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'), { status: 'retry', reason: 'bad upgrade' }],
  ['sends only an interim answer', write('HTTP/1.1 102 Processing\r\n\r\n'), { status: 'retry', reason: /^There was no whole answer/ }],
  ['sends 100 and nothing more', write('HTTP/1.1 100 Continue\r\n\r\n'), { status: 'retry', reason: /^There was no whole answer/ }],
  ['sends 100 for ever', (socket) => {
    const more = (): void => { while (!socket.destroyed && socket.write('HTTP/1.1 100 Continue\r\n\r\n'.repeat(1000))); }
    socket.on('drain', more)
    more()
  }, { status: 'retry', reason: 'bad response' }],
  ['sends 100 with endless headers', (socket) => {
    socket.write(`HTTP/1.1 100 Continue\r\n${`X-A: ${'a'.repeat(1000)}\r\n`.repeat(100)}`)
  }, { status: 'retry', reason: /Headers Overflow/i }],
  ['states two lengths', write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok'), { status: 'retry', reason: /Content-Length/i }]
]

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const forwarded = { status: 'forwarded', detail: 'status 200', answer: 'ok' }

/** Sends a text to a socket byte by byte, each in its own packet. */
function drip (text: string): (socket: Socket) => void {
  return (socket) => {
    socket.setNoDelay(true)
    let at = 0
    const timer = setInterval(() => { if (at < text.length) socket.write(text.charAt(at++)) }, 1)
    socket.on('close', () => { clearInterval(timer) })
  }
}

/** Destinations that have taken the delivery, with an unusual answer. */
const unusual: ReadonlyArray<readonly [string, (socket: Socket) => void, object]> = [
  ['sends 100 unasked', write(`HTTP/1.1 100 Continue\r\n\r\n${OK}`), forwarded],
  ['sends 100 unasked, in pieces', drip(`HTTP/1.1 100 Continue\r\nX: y\r\n\r\n${OK}`), forwarded],
  ['sends 100 in HTTP/1.0', write(`HTTP/1.0 100 Continue\r\n\r\n${OK}`), forwarded],
  ['sends early hints first', write(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}`), forwarded],
  ['sends several interim answers first', write(`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 199 Odd\r\nContent-Length: 9\r\n\r\n${OK}`), forwarded],
  ['answers 204 with a length', write('HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n'), { status: 'forwarded', detail: 'status 204' }],
  ['answers 204 with a length and a body', write('HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello'), { status: 'forwarded', detail: 'status 204' }],
  ['answers 204 with a length and resets', (socket) => {
    socket.write('HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n', () => { socket.resetAndDestroy() })
  }, { status: 'forwarded', detail: 'status 204' }],
  ['sends 100, then 204 with a length', write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n'), { status: 'forwarded', detail: 'status 204' }],
  ['answers 205 with a length and sends nothing', write('HTTP/1.1 205 Reset Content\r\nContent-Length: 5\r\n\r\n'), { status: 'forwarded', detail: 'status 205' }],
  ['answers 205 without a length and keeps the connection', write('HTTP/1.1 205 Reset Content\r\n\r\n'), { status: 'forwarded', detail: 'status 205' }],
  ['answers in HTTP/1.0, and closes', (socket) => { socket.end('HTTP/1.0 200 OK\r\n\r\nok') }, forwarded],
  ['answers without a length, and closes', (socket) => { socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok') }, forwarded],
  ['resets after a whole answer', (socket) => { socket.write(OK, () => { socket.resetAndDestroy() }) }, forwarded],
  ['sends more after its answer', write(`${OK}and so on`), forwarded],
  ['answers twice', write(`${OK}HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n`), forwarded],
  ['sends chunks and trailers', write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n2\r\nok\r\n0\r\nX: y\r\n\r\n'), forwarded],
  ['has large headers', write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n${`Set-Cookie: ${'a'.repeat(4000)}\r\n`.repeat(12)}\r\nok`), forwarded]
]

for (const [name, behave, expected] of unusual) {
  t.test(`a destination that ${name} has taken the delivery`, async (t) => {
    const destination = await rawDestination(t, behave)
    const forwarder = forwarderTo(t, destination.url, { timeoutMs: 1000 })
    t.strictSame(await attempt(forwarder), expected)
    await forwarder.close?.()
    await destination.deserted()
  })
}

t.test('a destination whose whole answer arrives within the time has taken the delivery, whatever its pauses', async (t) => {
  const destination = await rawDestination(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no')
    setTimeout(() => { socket.write('k') }, 6500)
  })
  t.strictSame(await attempt(forwarderTo(t, destination.url, { timeoutMs: 15_000 })), forwarded)
})

t.test('304 is a failure that is known after its headers', async (t) => {
  const destination = await rawDestination(t, write('HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n'))
  t.strictSame(await attempt(forwarderTo(t, destination.url)), { status: 'retry', reason: 'status 304' })
})

t.test('a destination that answers before it has read the whole body, and closes, has taken the delivery', async (t) => {
  const rawBody = Buffer.alloc(20_000_000, 0x61)
  const ways: ReadonlyArray<(socket: Socket) => void> = [
    (socket) => { socket.write(OK, () => { socket.resetAndDestroy() }) },
    (socket) => { socket.write(OK.replace('OK\r\n', 'OK\r\nConnection: close\r\n'), () => { socket.destroy() }) },
    (socket) => { socket.write(`HTTP/1.1 100 Continue\r\n\r\n${OK}`, () => { socket.resetAndDestroy() }) }
  ]
  for (const answerEarly of ways) {
    const destination = await rawDestination(t, (socket) => {
      socket.pause()
      answerEarly(socket)
    })
    const forwarder = forwarderTo(t, destination.url)
    t.strictSame(await attempt(forwarder, attemptAt({ rawBody })), forwarded)
    await forwarder.close?.()
    await destination.deserted()
  }
})

t.test('interim answers are left out on a reused connection, with TLS too', async (t) => {
  const { key, cert, certPath } = selfSigned(t.testdir())
  const answer = `HTTP/1.1 100 Continue\r\n\r\n${OK}`
  const each = (socket: Socket): void => { socket.on('data', () => { socket.write(answer) }) }
  const plain = await listen(t, createNetServer(each))
  const forwarder = forwarderTo(t, `http://127.0.0.1:${plain.port}/`, { concurrency: 1 })
  for (let count = 0; count < 5; count++) t.strictSame(await attempt(forwarder), forwarded)
  t.equal(plain.sockets.total, 1)

  const secure = await listen(t, createRawTlsServer({ key, cert }, each))
  t.strictSame(await attemptWith(`https://localhost:${secure.port}/`, { NODE_EXTRA_CA_CERTS: certPath }, 5), Array(5).fill(forwarded))
  t.equal(secure.sockets.total, 1)
})

for (const [name, behave, expected] of hostile) {
  t.test(`a destination that ${name} has the documented outcome and leaks nothing`, async (t) => {
    const destination = await rawDestination(t, behave)
    const forwarder = forwarderTo(t, destination.url, { timeoutMs: 300 })
    const { signal } = new AbortController()
    t.match(await attempt(forwarder, attemptAt(), signal), expected)
    t.equal(getEventListeners(signal, 'abort').length, 0)
    await forwarder.close?.()
    await destination.deserted()
  })
}

t.test('a destination that refuses the connection, at any address, is retried', async (t) => {
  const port = await freePort()
  t.match(await attempt(forwarderTo(t, `http://127.0.0.1:${port}/`)), { status: 'retry', reason: /ECONNREFUSED/ })
  t.match(await attempt(forwarderTo(t, `http://localhost:${port}/`)), { status: 'retry', reason: /ECONNREFUSED/ })
})

t.test('a destination whose name does not exist is retried', async (t) => {
  t.match(await attempt(forwarderTo(t, 'http://nowhere.invalid/')), { status: 'retry', reason: /ENOTFOUND|EAI_AGAIN|no whole answer|Connect Timeout/ })
})

t.test('an untrusted certificate, and a TLS destination that does not speak TLS, are retried', async (t) => {
  const { key, cert } = selfSigned(t.testdir())
  let requests = 0
  const server = createTlsServer({ key, cert }, (_request, response) => {
    requests += 1
    response.end()
  })
  const listening = await listen(t, server)
  const forwarder = forwarderTo(t, `https://127.0.0.1:${listening.port}/`)
  t.match(await attempt(forwarder), { status: 'retry', reason: /self-signed certificate/ })
  t.equal(requests, 0)
  await forwarder.close?.()
  await listening.deserted()

  const plain = await rawDestination(t, write('HTTP/1.1 400 Bad Request\r\n\r\n'))
  const misled = forwarderTo(t, plain.url.replace('http:', 'https:'), { timeoutMs: 1000 })
  t.match(await attempt(misled), { status: 'retry', reason: /SSL|EPROTO|wrong version/ })
  await misled.close?.()
  await plain.deserted()
})

t.test('stopping ends an attempt at once, and an attempt that is over before it began sends nothing', async (t) => {
  const destination = await httpDestination(t, () => {})
  const forwarder = forwarderTo(t, destination.url)
  const controller = new AbortController()
  const outcome = attempt(forwarder, attemptAt(), controller.signal)
  while (destination.received.length === 0) await sleep(5)
  controller.abort(new Error('The service is stopping'))
  t.strictSame(await outcome, { status: 'retry', reason: 'The attempt was stopped: The service is stopping' })
  t.match(await attempt(forwarder, attemptAt(), controller.signal), { status: 'retry', reason: /The attempt was stopped/ })
  await forwarder.close?.()
  await destination.deserted()
  t.equal(destination.received.length, 1)
})

t.test('connections are kept, reused, and not more than configured', async (t) => {
  const destination = await httpDestination(t)
  const forwarder = forwarderTo(t, destination.url, { concurrency: 3 })
  await Promise.all(Array.from({ length: 60 }, async () => { await attempt(forwarder) }))
  t.equal(destination.received.length, 60)
  t.ok(destination.sockets.total <= 3)
  await forwarder.close?.()
  await forwarder.close?.()
  await destination.deserted()
  t.match(await attempt(forwarder), { status: 'retry' }, 'a closed forwarder returns a failure and does not throw')
})

t.test('hostile destinations, each with its own forwarder, do not affect another forwarder', async (t) => {
  const log = captureLog()
  const journal = createWholeJournal({
    dataDir: t.testdir(), logger: log.logger, clock: systemClock, dedupeWindowMs: 86_400_000, retention: { maxAgeMs: 86_400_000, maxBytes: 0 }
  })
  await journal.start()
  const destinations = await Promise.all(hostile.map(async ([, behave]) => await rawDestination(t, behave)))
  const good = await httpDestination(t)
  const refusing = await httpDestination(t, (_request, response) => { response.writeHead(404).end('no such thing') })
  const forwarders: Forwarder[] = [
    ...destinations.map(({ url }, index) => ({ ...forwarderTo(t, url, { timeoutMs: 300 }), name: `hostile-${index}` })),
    { ...forwarderTo(t, refusing.url), name: 'refusing' },
    { ...forwarderTo(t, good.url), name: 'good' }
  ]
  const dispatcher = createDispatcher(forwarders.map((forwarder) => createPump({
    forwarder,
    journal,
    start: 'beginning',
    accepts: () => true,
    // Failing destinations must not take the CPU from those that work.
    retry: { minMs: 20, maxMs: 100, giveUpMs: 600_000 },
    breakerThreshold: 1000,
    clock: systemClock,
    random: Math.random,
    logger: log.logger
  })))
  await dispatcher.start()
  const appended = await Promise.all(Array.from({ length: 40 }, async (_, index) => await journal.append(sampleNewDelivery({ index }))))
  const startedAt = performance.now()
  const deadline = startedAt + 100_000
  while (good.received.length < 40 && performance.now() < deadline) await sleep(5)
  t.strictSame(new Set(good.received.map(({ headers }) => headers['webhook-id'])), new Set(appended.map(({ id }) => id)))
  t.equal(good.received.length, 40)
  t.comment(`40 deliveries past ${hostile.length + 1} hostile destinations in ${Math.round(performance.now() - startedAt)} ms`)

  const died = (): number => log.find('delivery dead').filter((line) => line['forwarder'] === 'refusing').length
  while (died() < 40 && performance.now() < deadline) await sleep(5)
  t.equal(died(), 40, 'a delivery that is refused five times is a dead letter')
  t.equal(refusing.received.length, 200)
  t.match(log.find('delivery dead')[0], { reason: /status 4(04|10)/ })
  await dispatcher.close(0)
  await journal.close()
  await Promise.all([...destinations, good, refusing].map(async (destination) => { await destination.deserted() }))
})
