import { appendFileSync, readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import t from 'tap'
import { formatReportCard } from '../../src/commands/report-card.js'
import { buildService, SECRET, signed } from '../support/build-service.js'
import { eventually } from '../support/eventually.js'
import { createHarness, startServer, type ReceivedRequest } from './harness.js'

/** Longer than any step takes on a busy machine. */
const PATIENT = ['--timeout-ms', '120000']
/** Makes a day last less than a second. */
const FAST_CLOCK = ['--clock', '100000x']

function eventIdOf (request: ReceivedRequest): string {
  return String(JSON.parse(request.body).event.id)
}

function answer (response: ServerResponse, status: number, body: unknown = { message: 'whatever' }): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}

/** A receiver that gets the number of times that an event has come, from 1. */
async function startReceiver (t: Parameters<typeof startServer>[0], receive: (nth: number, request: ReceivedRequest, response: ServerResponse) => void) {
  const times = new Map<string, number>()
  return await startServer(t, (request, response) => {
    const id = eventIdOf(request)
    const nth = (times.get(id) ?? 0) + 1
    times.set(id, nth)
    receive(nth, request, response)
  })
}

async function report (...args: string[]) {
  const harness = createHarness()
  const code = await harness.run('send', ...args, '--json')
  return { code, stderr: harness.stderr.text, ...JSON.parse(harness.stdout.text) }
}

t.test('tierhook gets a perfect report: all events, on schedule, with copies, each found in the file once', async t => {
  const path = join(t.testdir(), 'events.ndjson')
  const service = await buildService(t, { ...signed, FORWARDERS: 'file', FILE_FORWARDER_PATH: path, FILE_FORWARDER_ROTATE_BYTES: '100000' })
  const harness = createHarness()
  t.equal(await harness.run(
    'send', '--all', '--rate', '200', '--count', '200', '--duplicates', '10%', '--overlaps', '10%', '--url', service.url, '--secret', SECRET,
    '--verify', path, '--verify-within', '120s', ...PATIENT
  ), 0, harness.stderr.text)
  const card = harness.stdout.text
  t.match(card, /^events +200 sent, 200 accepted$/m)
  t.match(card, /^answers +240 requests \(202: 200, 200: 40\); 0 timeouts, 0 network errors$/m)
  t.match(card, /^duplicates +40 copies sent on purpose, 40 recognised$/m)
  t.match(card, /^schedule +200 a second, /m)
  t.match(card, /^downstream +\S+events\.ndjson: 200 of 200 found once, 0 missing, 0 found more than once; after /m)
  t.match(card, /^result +perfect\n$/m)

  t.match(await report('--all', '--raw', '--count', '24', '--url', service.url, '--secret', SECRET, '--verify', path, '--verify-within', '120s', ...PATIENT), {
    code: 0, perfect: true, verification: { lookedFor: 24, foundOnce: 24 }
  }, 'raw payloads are found by the ids that the service gave them')
  t.match(await report('--all', '--invalid', '--count', '24', '--url', service.url, '--secret', SECRET, '--verify', path, ...PATIENT), {
    code: 0, perfect: true, verification: { lookedFor: 0, quarantined: 24 }
  }, 'quarantined invalid events are not looked for in the file')
  t.match(await report('customer.loyalty.tier.left', '--wrong-secret', '--count', '3', '--url', service.url, ...PATIENT), {
    code: 1, perfect: false, events: { failed: 3 }, answers: { '401 SIGNATURE_WRONG': 3 }, problems: [{ status: 401, message: /signature/i }]
  })
})

t.test('a receiver that fails at first is retried until it accepts, and that is no fault', async t => {
  const server = await startReceiver(t, (nth, _request, response) => { answer(response, nth <= 3 ? 500 : 202) })
  const result = await report('--all', '--count', '10', '--url', server.url, ...FAST_CLOCK, ...PATIENT)
  t.match(result, {
    code: 0, perfect: true, events: { accepted: 10 }, requests: 40, answers: { 500: 30, 202: 10 }, retries: { spent: 30, mostStrikes: 3 }, switchedOff: { length: 0 }, problems: [{ status: 500 }]
  })
  const bodies = new Map(server.requests.map(request => [eventIdOf(request), request.body]))
  t.ok(server.requests.every(request => bodies.get(eventIdOf(request)) === request.body), 'each retry sends the bytes of the first attempt')
})

t.test('a receiver that hangs past the limit gets the retry while it still works on the first request', async t => {
  const server = await startReceiver(t, (nth, _request, response) => { if (nth > 1) answer(response, 202) })
  const result = await report('customer.loyalty.tier.left', '--count', '3', '--url', server.url, '--timeout-ms', '1000', ...FAST_CLOCK)
  t.match(result, { code: 0, perfect: true, events: { accepted: 3 }, problems: [{ status: 'timeout', message: 'no answer within 1000 ms' }] })
  t.ok(result.timeouts >= 3)
  t.ok(result.latencyMs.max >= 990)
})

t.test('the limit uses the fast clock on request', async t => {
  const server = await startReceiver(t, () => {})
  const result = await report('customer.loyalty.tier.left', '--url', server.url, '--clock', '1000x', '--retries', '1', '--compress-timeout')
  t.match(result, { code: 1, events: { failed: 1 }, timeouts: 2, problems: [{ message: 'no answer within 10 ms' }] })
})

t.test('a receiver that never comes back is switched off after twelve retries, and the rest is lost', async t => {
  let died = false
  const server = await startReceiver(t, (_nth, _request, response) => {
    if (died) response.socket?.destroy()
    else answer(response, 202)
    died = server.requests.length >= 3
  })
  const harness = createHarness()
  t.equal(await harness.run('send', 'customer.loyalty.tier.left', '--rate', '10', '--count', '100', '--concurrency', '50', '--url', server.url, ...FAST_CLOCK, ...PATIENT), 1)
  const card = harness.stdout.text
  t.match(card, /^events +(100 planned, )?\d+ sent, 3 accepted, [1-9]\d* never accepted, \d+ lost$/m)
  t.match(card, /^retries +\d+ spent, most strikes on one event: 13, SWITCHED OFF$/m)
  t.match(card, /^ +distr_[0-9a-f]+ switched off after .*: \d+ events lost$/m)
  t.match(card, /^wrong +event \d+, try 1: (UND_ERR_SOCKET|ECONNRESET) /m)
  t.match(card, /^result +NOT PERFECT$/m)
})

t.test('a receiver that acknowledges events and loses them, or forwards them twice, is detected', async t => {
  const path = join(t.testdir({ 'out.ndjson': '' }), 'out.ndjson')
  const seen: string[] = []
  const server = await startReceiver(t, (_nth, request, response) => {
    seen.push(eventIdOf(request))
    const lines = seen.length % 5 === 0 ? 0 : seen.length === 7 ? 2 : 1
    // Another receiver's format: the envelope as received.
    for (let line = 0; line < lines; line++) appendFileSync(path, `${request.body}\n`)
    answer(response, 200)
  })
  const result = await report('--all', '--count', '30', '--concurrency', '1', '--url', server.url, '--verify', path, '--verify-within', '0s', ...PATIENT)
  t.match(result, {
    code: 1, perfect: false, events: { accepted: 30 }, verification: { complete: false, lookedFor: 30, foundOnce: 23, missing: 6, foundMoreThanOnce: 1 }
  })
  t.strictSame(result.verification.missingEvents, seen.filter((_, index) => (index + 1) % 5 === 0))
  t.strictSame(result.verification.repeatedEvents, [seen[6]])
  t.equal(readFileSync(path, 'utf8').split('\n').length, 26)
})

t.test('Ctrl-C prints the report so far', async t => {
  const server = await startReceiver(t, (_nth, _request, response) => { if (server.requests.length <= 5) answer(response, 202) })
  const harness = createHarness()
  const running = harness.run('send', 'customer.loyalty.tier.left', '--seconds', '3600', '--concurrency', '2', '--url', server.url, ...PATIENT)
  await eventually(() => server.requests.length === 7 ? true : undefined, 'two requests that hang')
  harness.signal('SIGINT')
  t.equal(await running, 130)
  t.match(harness.stdout.text, /^events +7 sent, 5 accepted, 2 unfinished$/m)
  t.match(harness.stdout.text, /^result +perfect, until it was stopped$/m)
  t.strictSame(harness.exits, [])
  t.equal(harness.listeners.size, 0)
})

t.test('Ctrl-C during --verify prints the findings so far', async t => {
  const directory = t.testdir({ 'out.ndjson': '' })
  const server = await startReceiver(t, (_nth, _request, response) => { answer(response, 202) })
  const harness = createHarness({ directory, terminal: true })
  const running = harness.run('send', 'customer.loyalty.tier.left', '--url', server.url, '--verify', 'out.ndjson', '--verify-within', '1h', ...PATIENT)
  await eventually(() => harness.stderr.text.includes('found downstream') ? true : undefined, 'looking')
  harness.signal('SIGINT')
  harness.signal('SIGINT')
  t.equal(await running, 1)
  t.match(harness.stdout.text, /0 of 1 found once, 1 missing/)
  t.match(harness.stdout.text, /^missing +ev_[0-9a-f]{24}$/m)
})

t.test('an endless answer is read only as far as it is useful', async t => {
  const server = await startReceiver(t, (_nth, _request, response) => {
    response.writeHead(202)
    const more = (): void => {
      while (!response.destroyed && response.write('x'.repeat(16_384)));
      response.once('drain', more)
    }
    more()
  })
  t.match(await report('customer.loyalty.tier.left', '--url', server.url, ...PATIENT), { code: 0, events: { accepted: 1 } })
})

t.test('an operator\'s API that cannot be asked stops the command before any event is sent', async t => {
  const server = await startReceiver(t, (_nth, _request, response) => { answer(response, 202) })
  const operator = await startServer(t, (_request, response) => { answer(response, 401) })
  const harness = createHarness({ environment: { ADMIN_TOKEN: 'a-token-from-the-environment' } })
  t.equal(await harness.run('send', 'customer.loyalty.tier.left', '--url', server.url, '--verify', operator.url), 1)
  t.match(harness.stderr.text, /answered 401: give its token with --verify-token/)
  t.equal(operator.requests[0]?.headers.authorization, 'Bearer a-token-from-the-environment')
  t.equal(server.requests.length, 0)
})

t.test('the service\'s own token is sent only to its own host, and another host gets only an explicit token', async t => {
  const server = await startReceiver(t, (_nth, _request, response) => { answer(response, 202) })
  const operator = await startServer(t, (_request, response) => { answer(response, 401) })
  const directory = t.testdir({ '.env': 'ADMIN_TOKEN=a-token-from-the-file\n', token: 'a-token-of-another-host\n' })
  // Another address of this machine, which is not a loopback address.
  const elsewhere = `http://0.0.0.0:${operator.port}`
  const ask = async (environment: Record<string, string>, ...args: string[]) => {
    const harness = createHarness({ directory, environment })
    t.equal(await harness.run('send', 'customer.loyalty.tier.left', '--url', server.url, ...args), 1)
    return [operator.requests.at(-1)?.headers.authorization, harness.stderr.text]
  }
  const withheld = /answered 401: ADMIN_TOKEN was not sent, because .* Give the token of this host with --verify-token-file\n$/
  for (const environment of [{}, { ADMIN_TOKEN: 'a-token-from-the-environment' }, { ADMIN_HOST: '192.0.2.1' }]) {
    t.match(await ask(environment, '--verify', elsewhere), [undefined, withheld])
  }
  t.match(await ask({}, '--verify', operator.url), ['Bearer a-token-from-the-file'])
  t.match(await ask({}, '--verify', operator.url.replace('127.0.0.1', 'LOCALHOST')), ['Bearer a-token-from-the-file'])
  t.match(await ask({ ADMIN_HOST: '0.0.0.0' }, '--verify', elsewhere), ['Bearer a-token-from-the-file', /answered 401: give its token/])
  t.match(await ask({}, '--verify', elsewhere, '--verify-token', 'given-with-it'), ['Bearer given-with-it'])
  t.match(await ask({}, '--verify', elsewhere, '--verify-token-file', 'token'), ['Bearer a-token-of-another-host'])
  t.equal(server.requests.length, 0)
})

t.test('the report names all faults, and no receiver can put control characters into it', async t => {
  const card = formatReportCard({
    url: 'http://receiver.example/',
    perfect: false,
    report: {
      elapsedMs: 90_061_000,
      stopped: true,
      events: { planned: 1_000_000, sent: 5000, accepted: 4000, failed: 3, lost: 990, unfinished: 7 },
      requests: 6000,
      answers: { 202: 4000, '503 JOURNAL_UNAVAILABLE': 1990, timeout: 1, ECONNRESET: 9 },
      timeouts: 1,
      networkErrors: 9,
      duplicatesRecognised: 2,
      copies: { sent: 9, recognised: 1, unmarked: 2, takenTwice: 3, refused: 3 },
      latencyMs: { p50: 1.25, p90: 999.9, p99: 10_100, p999: 61_000, max: 7_260_000 },
      schedule: { perSecond: 0.5, kept: false, lateStarts: 12, latestMs: 250, limitReached: true },
      retries: { spent: 991, mostStrikes: 13 },
      switchedOff: [{ source: 'distr_1', afterMs: 86_400_000, lost: 1 }],
      problems: [{ event: 0, attempt: 2, status: 503, message: 'full\u001b[2J', faults: ['/a is wrong'] }, { event: 9, attempt: 1, status: 'timeout', message: 'no answer' }]
    },
    verification: {
      downstream: '/data/events.ndjson',
      complete: false,
      lookedFor: 4000,
      foundOnce: 3977,
      missing: 22,
      foundMoreThanOnce: 1,
      quarantined: 5,
      nameless: 6,
      elapsedMs: 30_000,
      missingEvents: ['ev_1: it is in quarantine', 'ev_2'],
      repeatedEvents: ['ev_3']
    }
  })
  t.equal(card, `
to           http://receiver.example/
events       1,000,000 planned, 5,000 sent, 4,000 accepted, 3 never accepted, 990 lost, 7 unfinished
answers      6,000 requests (202: 4,000, 503 JOURNAL_UNAVAILABLE: 1,990, ECONNRESET: 9, timeout: 1); 1 timeout, 9 network errors
duplicates   9 copies sent on purpose, 2 recognised, 2 accepted without saying so, 3 TAKEN AS ANOTHER EVENT, 3 refused
answered in  p50 1.3 ms, p90 999.9 ms, p99 10.1 s, p99.9 1 min 1 s, max 2 h 1 min, from when each was due
schedule     0.5 a second, NOT KEPT by this sender: 5,000 events in 25 h 1 min, 12 went out late, by up to 250.0 ms (as many requests as --concurrency allows were under way)
retries      991 spent, most strikes on one event: 13, SWITCHED OFF
             distr_1 switched off after 24 h: 1 event lost
downstream   /data/events.ndjson: 3,977 of 4,000 found once, 22 missing, 1 found more than once, 5 quarantined as invalid, 6 without an id to look for; after 30.0 s
missing      ev_1: it is in quarantine
             ev_2
             and 20 more
repeated     ev_3
wrong        event 1, try 2: 503 full\\u001b[2J | /a is wrong
             event 10, try 1: timeout no answer
result       NOT PERFECT, until it was stopped`.slice(1))
})
