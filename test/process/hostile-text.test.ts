import { isUtf8 } from 'node:buffer'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createHarness } from '../commands/harness.js'
import { freePort, httpDestination } from '../forwarders/http/support/servers.js'
import { eventually } from '../support/eventually.js'
import { eventBody, postBody, startServiceProcess } from '../support/service-process.js'

/** Characters that end a line, control a terminal, change the direction of text, are invisible, or are invalid: raw, and escaped in JSON. */
const hostile = [
  'line\\nbreak\\r\\u2028\\u2029', '\\u001b[2J\\u009b31m\u009B31m\\u0000\\u0007\u007F', '\u202Egpj.exe\u2066\u200F\u200B\uFEFF', '\\ud83e', '\\uDE00 \\ud83e\\ud83e\\ude00', '🫖 李 é\u0301 \u{E0041}',
  '\\"}{\\"level\\":60', '\\\\ud83e\\\\u001b', '__proto__', 'a,b\\tc'
]

/** Events with such texts in each place for a text, keys included. */
function * bodies (): Generator<string> {
  for (const [index, text] of hostile.entries()) {
    const event = (number: number): string => eventBody(`ev_${index}_${number}`)
    yield event(0).replace(/"customer":\{[^}]*\}/, `"customer":{"id":"${text}","name":"${text}","email":"${text}","metadata":{"${text}":"${text}"}}`)
    yield event(1).replace('"id":"ltr_1"', `"id":"${text}","name":"${text}","points":{"from":"${text}"}`)
    yield event(2).replace('"campaign":null', `"campaign":{"id":"${text}","${text}":["${text}"]},"${text}":{"${text}":1}`)
    yield event(3).replace('"distr_1"', `"${text}"`).replace('"distribution"', `"${text}"`)
    yield event(4).replace('"tier.upgraded"', `"${text}"`).replace(/"id":"ev_[^"]*"/, `"id":"${text}"`)
    yield event(5).replace('customer.loyalty.tier.upgraded', text)
    yield event(6).replace('customer.loyalty.tier.upgraded', 'custom.of.ours').replace('"ltr_1"', `"${text}"`)
    // Quarantined, with the key in the pointer of the fault.
    yield event(7).replace('"object":"customer"', `"object":5,"metadata":{"${text}":{}},"loyalty":{"${text}":{"points":"${text}"}},"assets":"${text}"`)
    yield event(8).replace('"2026-01-31T00:00:00Z"', `"${text}"`)
    yield `"${text}"`
    yield `{"${text}":`
  }
}

function isReadable (line: string): boolean {
  try {
    return !/(?<!\\)(?:\\\\)*\\ud[89a-f]/i.test(JSON.stringify(JSON.parse(line)))
  } catch {
    return false
  }
}

/** The form that every reader accepts: UTF-8, one JSON value a line, no half of a surrogate pair, and no invisible character. */
function checkLines (t: Test, bytes: Buffer, what: string): string[] {
  t.ok(isUtf8(bytes), `${what}: UTF-8`)
  const lines = bytes.toString().trimEnd().split('\n')
  t.strictSame(lines.filter((line) => !isReadable(line)).map((line) => JSON.stringify(line)), [], `${what}: JSON`)
  const { status, stdout, stderr, error } = spawnSync('jq', ['-c', '.'], { input: bytes, maxBuffer: 100_000_000, encoding: 'utf8' })
  if (error !== undefined) t.comment('no jq')
  else {
    t.equal(status, 0, `${what}: jq: ${JSON.stringify(stderr)}`)
    t.equal(stdout.trimEnd().split('\n').length, lines.length, `${what}: jq`)
  }
  return lines
}

/** Sends bytes unchanged over a new connection, and waits for its end. */
async function sendRaw (url: string, text: string): Promise<void> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.on('error', () => {})
  socket.resume()
  socket.end(Buffer.from(text, 'latin1'))
  await once(socket, 'close')
}

t.test('hostile names and answers: every line of the log and of the event file is JSON in UTF-8 that jq reads, and no output controls a terminal', async (t) => {
  const dataDir = t.testdir({})
  const adminPort = await freePort()
  const { url } = await httpDestination(t, (_request, response) => {
    response.writeHead(422, { 'content-type': 'text/plain' })
    response.end(Buffer.concat([Buffer.from(JSON.stringify(hostile)), Buffer.from('\u202E\u009B2J\u001B[2J\r\n{"level":60}\n'), Buffer.from([0xFF, 0xED, 0xA0, 0xBE])]))
  })
  const service = await startServiceProcess(dataDir, {
    ADMIN_PORT: String(adminPort),
    FORWARDERS: 'log,file,http',
    HTTP_FORWARDER_URL: url,
    HTTP_FORWARDER_PERMANENT_STATUS: '422',
    LOG_FORWARDER_DATA: 'true',
    LOG_LEVEL: 'trace',
    TRUST_PROXY: 'loopback',
    RETRY_MIN_MS: '100',
    RETRY_MAX_MS: '200',
    RETRY_GIVE_UP_MS: '300'
  })
  const chunks: Buffer[] = []
  service.child.stdout?.on('data', (chunk: Buffer) => { chunks.push(chunk) })
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => { agent.destroy() })
  let stored = 0
  for (const body of bodies()) if ((await postBody(service.url, Buffer.from(body), agent)).status === 202) stored++
  t.ok(stored > 50, String(stored))
  const raw = 'x\u001B[2J\u009B\u00FF\u202A'
  await sendRaw(service.url, `POST /webhooks/${raw} HTTP/1.1\r\nhost: x\r\n\r\n`)
  await sendRaw(service.url, `POST /webhooks/custom/%1b%ff%ed%a0%be HTTP/1.1\r\nhost: x\r\nx-forwarded-for: ${raw}\r\ncontent-type: ${raw}\r\nuser-agent: ${raw}\r\n\r\n`)
  await sendRaw(service.url, `${raw}\r\n\r\n`)
  for (const text of ['\u00FF\u0085', '10.0.0.1, \u00AD']) {
    await new Promise((resolve) => {
      request(new URL('/webhooks', service.url), { method: 'POST', headers: { 'x-forwarded-for': text, 'x-voucherify-signature': text, 'user-agent': text, traceparent: text } }, (response) => {
        response.resume()
        response.on('end', resolve)
      }).on('error', resolve).end()
    })
  }
  const api = `http://127.0.0.1:${adminPort}/api`
  await eventually(async () => {
    const { forwarders } = await (await fetch(`${api}/forwarders`)).json() as { forwarders: ReadonlyArray<{ pending: number, retrying: number }> }
    return forwarders.every(({ pending, retrying }) => pending + retrying === 0) || undefined
  }, 'all deliveries to be finished')

  // eslint-disable-next-line no-control-regex
  const steers = /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u061C\u200B\u200E\u200F\u2028-\u202E\u2066-\u2069\uFEFF\u{E0000}-\u{E007F}]/u
  for (const args of [['deliveries', '--limit', '500'], ['quarantine', '--limit', '500'], ['dead-letters', '--limit', '500'], ['quarantine', 'release', '--all']]) {
    const { run, stdout, stderr } = createHarness({ directory: dataDir, environment: { DATA_DIR: dataDir, FORWARDERS: 'log,file,http' } })
    await run(...args)
    t.notMatch(stdout.text + stderr.text, steers, args.join(' '))
    t.ok((stdout.text + stderr.text).isWellFormed(), args.join(' '))
  }
  await eventually(() => existsSync(join(dataDir, 'observations.json')) || undefined, 'the observations file')
  for (const args of [['deliveries', '--limit', '500'], ['quarantine', '--limit', '500'], ['dead-letters', '--limit', '500'], ['drift']]) {
    const { run, stdout, stderr } = createHarness({ directory: dataDir, environment: { DATA_DIR: dataDir, FORWARDERS: 'log,file,http' } })
    t.equal(await run(...args, '--json'), 0, stderr.text)
    t.notMatch(stdout.text, steers, args.join(' '))
    checkLines(t, Buffer.from(stdout.text), args.join(' '))
  }
  checkLines(t, Buffer.from(await (await fetch(`${api}/deliveries?limit=200`)).arrayBuffer()), 'API')

  t.equal(await service.kill('SIGTERM'), 0)
  const logged = checkLines(t, Buffer.concat(chunks), 'log')
  t.notMatch(logged.join('\n'), steers)
  t.ok(logged.length > stored * 2)
  const filed = checkLines(t, readFileSync(join(dataDir, 'events.ndjson')), 'event file')
  t.ok(filed.length > 50)
})
