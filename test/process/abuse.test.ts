import { createHmac } from 'node:crypto'
import t from 'tap'
import { abuse } from '../support/abuse/abuse.js'
import { PATH_CANARY } from '../support/abuse/canaries.js'
import { conversationOf, talk } from '../support/abuse/conversation.js'
import { everyEnding } from '../support/abuse/endings.js'
import { randomFor } from '../support/abuse/random.js'
import { rawConnection } from '../support/raw-http.js'
import { eventBody, PROCESS_SECRET, startServiceProcess } from '../support/service-process.js'

/**
 * Earlier faults, by seed and number of the conversation. The tests of the ingress also have a test for each cause, because a changed generator
 * makes another conversation from a seed.
 */
const regressions: ReadonlyArray<{ readonly seed: number, readonly conversation: number, readonly pauseMs?: number, readonly cause: string }> = [
  { seed: 2, conversation: 5, cause: 'bytes after a request for an upgrade were dropped, and got no answer' },
  { seed: 1, conversation: 2, cause: 'a percent-encoded path was answered 404 instead of 405 for other methods' },
  { seed: 633288807, conversation: 3277, pauseMs: 50, cause: 'a refusal came before the whole request was sent, and the end was taken for the rest of the request' }
]

const seed = Number(process.env['TIERHOOK_ABUSE_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const requests = Number(process.env['TIERHOOK_ABUSE_REQUESTS'] ?? 20_000)

const service = await startServiceProcess(t.testdir(), { ADMIN_PORT: '0', BODY_LIMIT_BYTES: '65536', CUSTOM_WEBHOOKS: `${PATH_CANARY},__proto__` })
t.teardown(async () => await service.kill('SIGKILL'))
const port = Number(new URL(service.url).port)

for (const ending of everyEnding(randomFor(seed, 0), (name) => `named-${name}`)) {
  const { name, statuses, then } = ending
  const certain = then === 'end' && statuses.length > 0 && !name.startsWith('random')
  t.test(`${name} is answered ${certain ? statuses.join(' or ') : 'or not'}, and the connection closed`, async (t) => {
    const talked = await talk(port, { requests: [], ending, random: randomFor(seed, 1) })
    t.strictSame(talked.faults, [])
    if (certain) t.ok(talked.statuses.length > 0, 'the client gets an answer')
    if (statuses.length === 0) t.strictSame(talked.statuses, [])
  })
}

/** Node.js 20 drops headers above its limit. Newer versions refuse the whole request. */
const LEAVES_OUT_HEADERS = process.versions.node.startsWith('20.')

/** Unusual but valid HTTP: the answer's status for a signed event with these lines in its head. */
const tolerated: Readonly<Record<string, { readonly status: number, readonly target?: string, readonly lines?: readonly string[] }>> = {
  'a whole URL in the request line': { status: 202, target: 'http://elsewhere.example/webhooks' },
  'a whole URL of another scheme': { status: 404, target: 'ftp://x/webhooks' },
  'a percent-encoded path': { status: 202, target: '/%77ebhooks' },
  'a percent-encoded slash': { status: 404, target: '/webhooks%2fcustom' },
  'dots in the path': { status: 404, target: '/webhooks/../webhooks' },
  'a NUL in the name': { status: 404, target: '/webhooks/custom/a%00' },
  'an overlong encoding of a slash': { status: 400, target: '/webhooks/%c0%af' },
  'a signature in the query': { status: 401, target: '/webhooks?x-voucherify-signature=SIGNATURE', lines: [] },
  'a signature after more headers than Node.js accepts': { status: LEAVES_OUT_HEADERS ? 401 : 431, lines: [...Array.from({ length: 2100 }, () => 'a:'), 'X-Voucherify-Signature: SIGNATURE'] },
  'another method in a header': { status: 202, lines: ['X-Voucherify-Signature: SIGNATURE', 'X-HTTP-Method-Override: DELETE'] },
  'headers with names of object members': { status: 202, lines: ['X-Voucherify-Signature: SIGNATURE', '__proto__: 1', 'constructor: 2', 'hasOwnProperty: 3'] },
  'two identity encodings': { status: 415, lines: ['X-Voucherify-Signature: SIGNATURE', 'Content-Encoding: identity', 'Content-Encoding: identity'] }
}

for (const [name, { status, target = '/webhooks', lines = ['X-Voucherify-Signature: SIGNATURE'] }] of Object.entries(tolerated)) {
  t.test(`${name} is answered ${status}, and the connection ${status < 400 ? 'lives on' : 'closed'}`, async (t) => {
    const body = eventBody(`tolerated-${name}`)
    const signature = createHmac('sha256', PROCESS_SECRET).update(body).digest('hex')
    const head = [`POST ${target} HTTP/1.1`, 'Host: x', 'Content-Type: application/json', `Content-Length: ${body.length}`, ...lines, '', ''].join('\r\n')
    const connection = await rawConnection(t, port)
    connection.write(`${head.replaceAll('SIGNATURE', signature)}${body}GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n`)
    const answers = status < 400 ? await connection.answers(2) : await connection.closed()
    t.strictSame(answers.map((answer) => answer.status), status < 400 ? [status, 200] : [status])
    connection.socket.destroy()
  })
}

t.test('a signature in a trailer does not count', async (t) => {
  const connection = await rawConnection(t, port)
  const body = eventBody('trailer')
  const signature = createHmac('sha256', PROCESS_SECRET).update(body).digest('hex')
  connection.write(`POST /webhooks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nTrailer: X-Voucherify-Signature\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\nX-Voucherify-Signature: ${signature}\r\n\r\n`)
  t.strictSame((await connection.answers(1)).map(({ status }) => status), [401])
})

for (const { seed, conversation, pauseMs, cause } of regressions) {
  t.test(`seed ${seed}, conversation ${conversation}: ${cause}`, async (t) => {
    t.strictSame((await talk(port, { ...conversationOf(seed, conversation), pauseMs })).faults, [])
  })
}

t.test(`${requests} mutated requests, while one client behaves well`, async (t) => {
  await service.kill('SIGTERM')
  t.comment(`repeat with: npm run abuse -- --requests ${requests} --seed ${seed}`)
  const { faults, ...facts } = await abuse({ dataDir: t.testdir(), requests, seed })
  t.comment(JSON.stringify(facts))
  t.strictSame(faults.map((fault) => fault.slice(0, 1000)), [], 'each answer is documented and repeats no input, no log line holds a secret, and nothing broke')
  t.ok(facts.requests >= requests)
  t.strictSame(Object.keys(facts.statuses).filter((status) => Number(status) >= 500 && status !== '503'), [])
  for (const status of [200, 202, 400, 401, 404, 405, 413, 415, 431]) t.ok(Number(facts.statuses[status]) > 0, `status ${status} was seen`)
  t.ok(facts.acknowledgedToGood > 0 && facts.acknowledged > 0)
  t.strictSame(facts.lost, [], 'each acknowledged event is in the file')
  t.strictSame(facts.twice, [], 'no event is in the file twice')
  t.ok(facts.worstMs < 10_000, `the well-behaved client waited at most ${facts.worstMs} ms`)
  t.ok(facts.endMiB < facts.warmMiB + 150, `${facts.warmMiB} MiB after a fifth of the requests, ${facts.endMiB} MiB after all`)
  t.ok(facts.cutOff > 0, 'slow clients are cut off')
  t.ok(facts.socketsAfter <= facts.socketsBefore, 'no socket is left open')
})
