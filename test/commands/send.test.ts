import t from 'tap'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sign } from '../../src/voucherify/signature.js'
import { catalogue, tierEvents } from '../../src/voucherify/catalogue.js'
import { buildService, signed } from '../support/build-service.js'
import { freePort } from '../forwarders/http/support/servers.js'
import { createHarness, type ReceivedRequest, startServer } from './harness.js'
import type { ServerResponse } from 'node:http'

function accept (_request: ReceivedRequest, response: ServerResponse): void {
  response.writeHead(202, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ message: 'Webhook accepted', id: 'delivery-1', verdict: 'valid' }))
}

function eventIdOf (request: ReceivedRequest | undefined): unknown {
  return JSON.parse(request?.body ?? '{}').event?.id
}

t.test('a signed envelope goes to the configured service, and the answer is shown', async t => {
  const server = await startServer(t, accept)
  const harness = createHarness({ environment: { PORT: String(server.port), VOUCHERIFY_WEBHOOK_SECRETS: 'new-key,old-key' } })
  t.equal(await harness.run('send', 'Customer.Loyalty.Tier.UPGRADED'), 0)
  t.match(harness.stdout.text, /^202 Webhook accepted {2}delivery-1 {2}valid {2}\d+\.\d ms\n$/)
  t.equal(harness.stderr.text, '')
  const [request] = server.requests
  t.match(request, { method: 'POST', url: '/webhooks', headers: { 'content-type': 'application/json' } })
  t.equal(request?.headers['x-voucherify-signature'], sign(Buffer.from(request?.body ?? ''), 'new-key'))
  t.match(JSON.parse(request?.body ?? ''), {
    event: { type: 'customer.loyalty.tier.upgraded' },
    source: { target_url: `${server.url}/webhooks` },
    data: { loyalty_tier_to: {} }
  })
})

t.test('the secret and the port come from .env, or from a named file, unless an option says otherwise', async t => {
  const server = await startServer(t, accept)
  const directory = t.testdir({ '.env': `PORT=${server.port}\nVOUCHERIFY_WEBHOOK_SECRETS=file-key\n` })
  writeFileSync(join(directory, 'other.env'), `PORT=${server.port}\n`)
  const signature = (index: number): unknown => server.requests[index]?.headers['x-voucherify-signature']
  const expected = (index: number, secret: string): string => sign(Buffer.from(server.requests[index]?.body ?? ''), secret)

  t.equal(await createHarness({ directory }).run('send', 'customer.loyalty.tier.left'), 0)
  t.equal(signature(0), expected(0, 'file-key'))
  t.equal(await createHarness({ directory }).run('send', 'customer.loyalty.tier.left', '--secret', 'own-key'), 0)
  t.equal(signature(1), expected(1, 'own-key'))
  t.equal(await createHarness({ directory }).run('send', 'customer.loyalty.tier.left', '--env-file', 'other.env'), 0)
  t.equal(signature(2), undefined)
  const harness = createHarness({ directory })
  t.equal(await harness.run('send', 'customer.loyalty.tier.left', '--env-file', 'missing.env'), 2)
  t.match(harness.stderr.text, /environment file missing\.env cannot be read \(ENOENT\)/)
})

t.test('a secret is read from a file or standard input, so that no list of processes shows it', async t => {
  const server = await startServer(t, accept)
  const directory = t.testdir({
    '.env': `PORT=${server.port}\nVOUCHERIFY_WEBHOOK_SECRETS=file-key\n`, key: '\uFEFFkey of a file\r\n', empty: '\n', lines: 'hunter\ntwo\n', long: 'hunter'.repeat(2000)
  })
  const send = async (...args: string[]) => {
    const harness = createHarness({ directory, input: 'key of the input\n' })
    return [await harness.run('send', 'customer.loyalty.tier.left', ...args), harness.stderr.text] as const
  }
  t.strictSame(await send('--secret-file', 'key'), [0, ''])
  t.strictSame(await send('--secret-file', '-'), [0, ''])
  t.strictSame(server.requests.map(({ headers }) => headers['x-voucherify-signature']),
    ['key of a file', 'key of the input'].map((key, index) => sign(Buffer.from(server.requests[index]?.body ?? ''), key)))
  const cases: ReadonlyArray<readonly [readonly string[], RegExp]> = [
    [['--secret-file', 'missing'], /--secret-file: missing cannot be read \(ENOENT\)/],
    [['--secret-file', '.'], /--secret-file: \. cannot be read \(EISDIR\)/],
    [['--secret-file', 'empty'], /--secret-file: empty is empty/],
    [['--secret-file', 'lines'], /--secret-file: lines holds more than one line/],
    [['--verify', 'x', '--verify-token-file', 'long'], /--verify-token-file: long holds more than one line of up to 8192 bytes/],
    [['--secret-file', 'key', '--secret', 'k'], /--secret and --secret-file contradict/],
    [['--verify', 'x', '--verify-token-file', 'key', '--verify-token', 'k'], /--verify-token and --verify-token-file contradict/],
    [['--verify', 'x', '--verify-token-file', '-', '--secret-file', '-'], /cannot both be standard input/],
    [['--verify-token-file', 'key'], /belongs to --verify/]
  ]
  for (const [args, message] of cases) {
    const [code, text] = await send(...args)
    t.equal(code, 2)
    t.match(text, message)
    t.notMatch(text, 'hunter')
  }
  t.equal(server.requests.length, 2)
})

t.test('each event of the catalogue can be sent without its envelope to its own URL, under either name', async t => {
  const server = await startServer(t, accept)
  for (const { documentationName } of catalogue) t.equal(await createHarness().run('send', documentationName, '--raw', '--url', server.url), 0)
  t.same(server.requests.map(request => request.url), catalogue.map(({ type }) => `/webhooks/${type}`))
  for (const request of server.requests) t.notOk('event' in JSON.parse(request.body))
})

t.test('a URL with a path is used unchanged', async t => {
  const server = await startServer(t, accept)
  t.equal(await createHarness().run('send', 'customer.loyalty.tier.left', '--url', `${server.url}/webhooks/custom/x?y=1`), 0)
  t.equal(server.requests[0]?.url, '/webhooks/custom/x?y=1')
})

t.test('every run, and every event of a run, has a different id', async t => {
  const server = await startServer(t, accept)
  for (let run = 0; run < 2; run++) {
    const harness = createHarness()
    t.equal(await harness.run('send', 'customer.loyalty.tier.joined', '--count', '20', '--url', server.url), 0)
    t.equal(harness.stdout.text.split('\n').length, 21)
  }
  t.equal(new Set(server.requests.map(eventIdOf)).size, 40)
})

t.test('many events are reported, over a bounded number of connections, with a bar on a terminal', async t => {
  const server = await startServer(t, accept)
  const harness = createHarness({ terminal: true })
  t.equal(await harness.run('send', 'customer.loyalty.tier.joined', '--count', '300', '--concurrency', '4', '--url', server.url), 0)
  t.match(harness.stdout.text, /^events +300 sent, 300 accepted\nanswers +300 requests \(202: 300\); 0 timeouts, 0 network errors\nanswered in +p50 [\d.]+ ms, p90 .*max [\d.]+ ms\nschedule +none: .* a second\nretries +0 spent, most strikes on one event: 0, not switched off\nresult +perfect\n$/m)
  t.match(harness.stderr.text, /\/300 events/)
  t.ok(server.sockets.most <= 4)

  const piped = createHarness()
  t.equal(await piped.run('send', 'customer.loyalty.tier.joined', '--count', '21', '--url', server.url), 0)
  t.equal(piped.stderr.text, '')
})

t.test('refusals are shown with their reasons, and fail the command', async t => {
  const server = await startServer(t, (request, response) => {
    const status = 'x-voucherify-signature' in request.headers ? 422 : 401
    response.writeHead(status, { 'content-type': 'application/problem+json' })
    const errors = status === 422 ? { errors: [{ pointer: '/data/campaign/type', message: 'is wrong' }] } : {}
    response.end(JSON.stringify({ title: 'Refused', detail: 'for a reason', status, ...errors }))
  })
  const unsigned = createHarness()
  t.equal(await unsigned.run('send', 'customer.loyalty.tier.joined', '--url', server.url), 1)
  t.match(unsigned.stdout.text, /^401 Refused: for a reason {2}[\d.]+ ms\n$/)
  t.match(unsigned.stderr.text, 'were not signed: give --secret-file')
  const signed = createHarness()
  t.equal(await signed.run('send', 'customer.loyalty.tier.joined', '--invalid', '--secret', 'k', '--url', server.url), 1)
  t.match(signed.stdout.text, /^422 Refused: for a reason {2}[\d.]+ ms\n {4}\/data\/campaign\/type is wrong\n$/)
  t.equal(signed.stderr.text, '')
  t.match(JSON.parse(server.requests[1]?.body ?? ''), { event: { type: 'customer.loyalty.tier.joined' }, data: { campaign: { type: ['STATIC'] } } })
})

t.test('a duplicate is told apart from a first copy', async t => {
  const server = await startServer(t, (_request, response) => {
    response.end(JSON.stringify({ message: 'Webhook accepted', id: 'd', verdict: 'valid', duplicate: true }))
  })
  const harness = createHarness()
  t.equal(await harness.run('send', 'customer.loyalty.tier.joined', '--url', server.url), 0)
  t.match(harness.stdout.text, /^200 Webhook accepted \(stored already\) {2}d {2}valid/)
})

t.test('an answer of another server is shown unchanged, cut short', async t => {
  const server = await startServer(t, (_request, response) => {
    response.statusCode = 404
    response.end(`<html>${'x'.repeat(1000)}`)
  })
  const harness = createHarness()
  t.equal(await harness.run('send', 'customer.loyalty.tier.joined', '--url', server.url), 1)
  t.match(harness.stdout.text, /^404 <html>x{194} {2}/)
})

t.test('--json prints one object, with the answers if they are few', async t => {
  const server = await startServer(t, accept)
  const few = createHarness()
  t.equal(await few.run('send', 'customer.loyalty.tier.joined', '--json', '--count', '2', '--url', server.url), 0)
  t.match(JSON.parse(few.stdout.text), {
    url: `${server.url}/webhooks`,
    eventTypes: ['customer.loyalty.tier.joined'],
    perfect: true,
    events: { planned: 2, sent: 2, accepted: 2, failed: 0, lost: 0, unfinished: 0 },
    requests: 2,
    schedule: null,
    verification: null,
    answers: { 202: 2 },
    shown: [{ status: 202, id: 'delivery-1', verdict: 'valid' }, { status: 202 }]
  })
  const many = createHarness()
  t.equal(await many.run('send', 'customer.loyalty.tier.joined', '--json', '--count', '21', '--url', server.url), 0)
  t.notOk('shown' in JSON.parse(many.stdout.text))
})

t.test('a server that does not answer in time, or hangs up, fails that event and stops no other', async t => {
  let received = 0
  const server = await startServer(t, (request, response) => {
    received += 1
    if (received === 1) response.socket?.destroy()
    else if (received > 2) accept(request, response)
  })
  const harness = createHarness()
  t.equal(await harness.run('send', 'customer.loyalty.tier.joined', '--count', '3', '--concurrency', '1', '--timeout-ms', '1000', '--url', server.url), 1)
  t.match(harness.stdout.text.split('\n'), [/^(UND_ERR_SOCKET|ECONNRESET) /, /^timeout no answer within 1000 ms/, /^202 /])
})

t.test('an unreadable answer counts as failed', async t => {
  const server = await startServer(t, (_request, response) => { response.socket?.end('what?\r\n\r\n') })
  const harness = createHarness()
  t.equal(await harness.run('send', 'customer.loyalty.tier.joined', '--url', server.url), 1)
  t.match(harness.stdout.text, /^failed Response does not match/)
})

t.test('if nothing listens, one line says what to do, and no more events are sent', async t => {
  const url = `http://127.0.0.1:${await freePort()}`
  const harness = createHarness()
  t.equal(await harness.run('send', 'customer.loyalty.tier.joined', '--count', '1000', '--url', url), 1)
  t.equal(harness.stderr.text, `tierhook: nothing listens at ${url}: start it with npm start, or name another address with --url\n`)
  t.equal(harness.stdout.text, '')
})

t.test('a command without an event type asks for one', async t => {
  const harness = createHarness()
  t.equal(await harness.run('send'), 2)
  t.match(harness.stderr.text, 'Nothing to send. Name an event type')
})

t.test('event types without a schema are sent too, and one that looks mistyped only with --opaque', async t => {
  const server = await startServer(t, accept)
  const send = async (...args: string[]) => await createHarness().run('send', ...args, '--url', server.url)
  t.equal(await send('EVENTS.CUSTOMER.REWARDED.LOYALTY_POINTS', 'voucher.loyalty_card.points_added'), 0)
  t.equal(await send('customer.loyalty.tier.upgrade', '--opaque'), 0)
  t.equal(await send('redemption.succeeded', '--raw'), 0)
  t.equal(await send('redemption.succeeded', '--source', 'distribution'), 0)
  const bodies = server.requests.map(({ body }) => JSON.parse(body))
  t.strictSame(bodies.map(body => body.event?.type).sort(), [
    'customer.loyalty.tier.upgrade', 'customer.rewarded.loyalty_points', 'redemption.succeeded', 'voucher.loyalty_card.points_added', undefined
  ])
  t.equal(server.requests[3]?.url, '/webhooks/custom/redemption.succeeded')
  t.match(bodies[4].source, { object: 'distribution', id: /^distr_/ })
})

t.test('a custom raw payload is accepted if its name is configured, and otherwise the answer says what to set', async t => {
  for (const [names, shown] of [['redemption.succeeded', /^202 Webhook accepted/], ['crm', /^404 .* such as CUSTOM_WEBHOOKS=crm, and restart the service/]] as const) {
    const { port } = await buildService(t, { ...signed, CUSTOM_WEBHOOKS: names })
    const harness = createHarness({ environment: { ...signed, PORT: String(port) } })
    await harness.run('send', 'redemption.succeeded', '--raw')
    t.match(harness.stdout.text, shown)
  }
})

t.test('all loyalty tier events are sent in turn', async t => {
  const server = await startServer(t, accept)
  t.equal(await createHarness().run('send', '--all', '--count', '16', '--concurrency', '1', '--url', server.url), 0)
  t.same(server.requests.map(({ body }) => JSON.parse(body).event.type), [...tierEvents, ...tierEvents].map(({ type }) => type))
})

t.test('without a count, one event of each type is sent', async t => {
  const server = await startServer(t, accept)
  const types = () => server.requests.splice(0).map(({ body }) => JSON.parse(body).event.type)
  t.equal(await createHarness().run('send', '--all', '--concurrency', '1', '--url', server.url), 0)
  t.same(types(), tierEvents.map(({ type }) => type))
  t.equal(await createHarness().run('send', 'customer.loyalty.tier.left', 'customer.loyalty.tier.left', '--url', server.url), 0)
  t.same(types(), ['customer.loyalty.tier.left'])
})

t.test('a custom body is sent, compact and signed, to the URL that suits it', async t => {
  const server = await startServer(t, accept)
  const directory = t.testdir({ 'bare.json': '{ "created_at": "2026-01-31", "n": 1.0 }\n', 'envelope.json': '{"event":{"type":"a.b"},"data":{}}' })
  const send = async (...args: string[]) => await createHarness({ directory }).run('send', ...args, '--url', server.url, '--secret', 'k')
  t.equal(await send('customer.loyalty.tier.left', '--body', 'bare.json', '--header', 'X-Team: loyalty', '--header', 'x-more: 1'), 0)
  t.match(server.requests[0], { url: '/webhooks/customer.loyalty.tier.left', body: '{"created_at":"2026-01-31","n":1.0}', headers: { 'x-team': 'loyalty', 'x-more': '1' } })
  t.equal(server.requests[0]?.headers['x-voucherify-signature'], sign(Buffer.from('{"created_at":"2026-01-31","n":1.0}'), 'k'))
  t.equal(await send('--body', 'envelope.json'), 0)
  t.equal(server.requests[1]?.url, '/webhooks')
  t.equal(await send('--body', 'bare.json', '--body-as-is'), 0)
  t.equal(server.requests[2]?.body, '{ "created_at": "2026-01-31", "n": 1.0 }\n')
})

t.test('a wrong signature, or none, is sent on request although the secret is known', async t => {
  const server = await startServer(t, accept)
  const environment = { PORT: String(server.port), VOUCHERIFY_WEBHOOK_SECRETS: 'k' }
  t.equal(await createHarness({ environment }).run('send', 'customer.loyalty.tier.left', '--wrong-secret'), 0)
  t.equal(await createHarness({ environment }).run('send', 'customer.loyalty.tier.left', '--unsigned'), 0)
  const [wrong, none] = server.requests
  t.match(wrong?.headers['x-voucherify-signature'], /^[0-9a-f]{64}$/)
  t.not(wrong?.headers['x-voucherify-signature'], sign(Buffer.from(wrong?.body ?? ''), 'k'))
  t.notOk('x-voucherify-signature' in (none?.headers ?? {}))
})

t.test('an unknown event type is refused with the nearest name', async t => {
  for (const name of ['customer.loyalty.tier.upgrade', 'EVENTS.CUSTOMER.LOYALTY.TIER.UPGRADES', 'upgraded']) {
    const harness = createHarness()
    t.equal(await harness.run('send', name), 2)
    t.match(harness.stderr.text, /did you mean customer\.loyalty\.tier\./)
  }
})

t.test('options that make no sense are refused before anything is sent', async t => {
  const cases = [
    ['--url', 'ftp://x'], ['--url', 'x'], ['--count', '0'], ['--count', '1.5'], ['--concurrency', '10001'], ['--timeout-ms', 'soon'], ['--cuont', '1'],
    ['--rate', '0'], ['--rate', '5'], ['--seconds', '5', '--count', '5'], ['--all'], ['--retries', '13'], ['--clock', 'fast'], ['--clock', '0x'],
    ['--compress-timeout'], ['--duplicates', '5'], ['--overlaps', '101%'], ['--source', 'email'], ['--unsigned', '--secret', 'k'],
    ['--header', 'no colon'], ['--header', 'Host: x'], ['--body', 'missing.json'], ['--body', 'x', '--raw'], ['--body-as-is'],
    ['--verify-within', '5s'], ['--verify', 'http://'], ['--verify', 'x', '--verify-within', 'soon']
  ]
  for (const args of cases) {
    const harness = createHarness()
    t.equal(await harness.run('send', 'customer.loyalty.tier.joined', ...args), 2, args.join(' '))
    t.not(harness.stderr.text, '')
  }
})

t.test('an unreadable configuration is an error, and its secret is not shown', async t => {
  const harness = createHarness({ environment: { PORT: 'x', VOUCHERIFY_WEBHOOK_SECRETS: 'hunter 2' } })
  t.equal(await harness.run('send', 'customer.loyalty.tier.joined'), 2)
  t.match(harness.stderr.text, /PORT: "x" must be(.|\n)*VOUCHERIFY_WEBHOOK_SECRETS: \(value not shown\)/)
  t.notMatch(harness.stderr.text, 'hunter')
})
