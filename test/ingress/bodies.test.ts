import type { IncomingHttpHeaders } from 'node:http'
import { PassThrough } from 'node:stream'
import t, { type Test } from 'tap'
import { createBodyReader } from '../../src/ingress/bodies.js'
import type { Problem } from '../../src/errors/problem.js'
import { buildApp } from '../support/build-app.js'
import { SECRET } from '../support/build-service.js'
import { envelopeAround } from '../support/envelope-around.js'
import { eventually, eventuallyTrue } from '../support/eventually.js'
import { rawConnection } from '../support/raw-http.js'

const HEAD = 'POST /webhooks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
const COULD_BE_SIGNED = `X-Voucherify-Signature: ${'a'.repeat(64)}\r\n`

t.test('a missing or malformed signature is refused before any of the body is read', async (t) => {
  const app = await buildApp(t, { secrets: [SECRET] })
  const headers = { SIGNATURE_MISSING: '', SIGNATURE_WRONG: 'X-Voucherify-Signature: abc\r\n' }
  for (const [code, header] of Object.entries(headers)) {
    const connection = await rawConnection(t, app.port)
    connection.write(`${HEAD}${header}Content-Length: 1000\r\n\r\n`)
    const [answer] = await connection.answers(1)
    t.match({ status: answer?.status, body: JSON.parse(answer?.body ?? '') }, { status: 401, body: { code } })
    t.equal(answer?.headers.get('www-authenticate'), 'Voucherify-Signature')
    connection.socket.destroy()
  }
})

t.test('stalled bodies push out one another, with a 503 and Retry-After, and not the sender\'s', async (t) => {
  const app = await buildApp(t, { secrets: [SECRET], bodyLimitBytes: 10_000, arrivingBytes: 30_000 })
  const stalled = await Promise.all(Array.from({ length: 10 }, async () => await rawConnection(t, app.port)))
  for (const connection of stalled) connection.write(`${HEAD}${COULD_BE_SIGNED}Content-Length: 9000\r\n\r\n${' '.repeat(8000)}`)
  const refused = await eventually(() => {
    const lines = app.log.find('webhook refused')
    return lines.length === 7 ? lines : undefined
  }, 'all but three bodies to be refused')
  t.match(refused[0], { level: 40, status: 503, code: 'BODIES_TOO_MANY' })
  t.equal((await app.post('/webhooks', JSON.stringify(envelopeAround('some.event', { text: 'x'.repeat(9000) }, 'genuine')))).status, 202)
  const answers = []
  for (const connection of stalled) {
    connection.socket.end()
    answers.push(...await connection.closed())
  }
  const tooMany = answers.filter(({ status }) => status === 503)
  t.equal(tooMany.length, 7)
  t.match(tooMany[0]?.headers.get('retry-after'), /^\d+$/)
  t.equal(tooMany[0]?.headers.get('connection'), 'close')
  t.match(JSON.parse(tooMany[0]?.body ?? ''), { code: 'BODIES_TOO_MANY', status: 503 })
})

interface Read {
  readonly stream: PassThrough
  problem: Problem | null | undefined
  body: Uint8Array | undefined
}

function readerFor (t: Test, { limitBytes = 1000, arrivingBytes = 2000 } = {}) {
  const read = createBodyReader({ limitBytes, arrivingBytes })
  return (length?: number): Read => {
    const headers: IncomingHttpHeaders = length === undefined ? {} : { 'content-length': String(length) }
    const stream = Object.assign(new PassThrough(), { headers })
    t.teardown(() => { stream.destroy() })
    const result: Read = { stream, problem: undefined, body: undefined }
    read(stream, (problem, body) => {
      t.equal(result.problem, undefined, 'the callback is called once')
      Object.assign(result, { problem, body })
    })
    return result
  }
}

t.test('a body is exactly the bytes that arrived, in however many pieces, with a length and without', async (t) => {
  const begin = readerFor(t)
  const bytes = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 256))
  for (const pieces of [[1000], [1, 999], [999, 1], Array<number>(1000).fill(1), [300, 300, 400]]) {
    for (const length of [1000, undefined]) {
      const read = begin(length)
      let at = 0
      for (const size of pieces) read.stream.write(bytes.subarray(at, at += size))
      read.stream.end()
      await eventuallyTrue(() => read.problem !== undefined, 'the body to be read')
      t.equal(read.problem, null)
      t.strictSame(Buffer.from(read.body ?? []), bytes, `${pieces.length} pieces, ${length ?? 'no'} length`)
    }
  }
  const none = begin(0)
  none.stream.end()
  await eventuallyTrue(() => none.problem !== undefined, 'the empty body to be read')
  t.equal(none.body?.byteLength, 0)
})

t.test('a body one byte above the limit is too large, announced or sent, and a body that breaks off is reported', async (t) => {
  const begin = readerFor(t)
  t.match(begin(1001).problem, { code: 'BODY_TOO_LARGE' })
  const sent = begin()
  sent.stream.write(Buffer.alloc(600))
  sent.stream.write(Buffer.alloc(401))
  await eventuallyTrue(() => sent.problem !== undefined, 'a problem')
  t.match(sent.problem, { code: 'BODY_TOO_LARGE' })
  const broken = begin(10)
  broken.stream.destroy(new Error('aborted'))
  await eventuallyTrue(() => broken.problem !== undefined, 'a problem')
  t.match(broken.problem, { code: 'BAD_REQUEST', cause: { message: 'aborted' } })
})

t.test('a body may come in small pieces, but not in so many that they keep the thread busy', async (t) => {
  const begin = readerFor(t, { limitBytes: 1_000_000, arrivingBytes: 1_000_000 })
  const read = begin()
  for (let count = 0; count < 2000; count++) read.stream.write('x')
  await eventuallyTrue(() => read.problem !== undefined, 'a problem')
  t.match(read.problem, { code: 'BAD_REQUEST', message: /small chunks/ })
  const usual = begin()
  for (let count = 0; count < 10_000; count++) usual.stream.write('x'.repeat(80))
  usual.stream.end()
  await eventuallyTrue(() => usual.problem !== undefined, 'the body to be read')
  t.equal(usual.body?.byteLength, 800_000)
})

t.test('a body that is dropped frees its space', async (t) => {
  const begin = readerFor(t)
  for (let round = 0; round < 50; round++) {
    const reads = Array.from({ length: 4 }, () => begin(1000))
    for (const { stream } of reads) stream.write(Buffer.alloc(900))
    await eventuallyTrue(() => reads.filter(({ problem }) => problem !== undefined).length === 2, 'two of four to be refused')
    t.match(reads.map(({ problem }) => problem?.code), ['BODIES_TOO_MANY', 'BODIES_TOO_MANY', undefined, undefined], 'the two oldest bodies are refused')
    for (const { stream } of reads) stream.end(Buffer.alloc(100))
    await eventuallyTrue(() => reads.every(({ problem }) => problem !== undefined), 'the other two bodies to be read')
  }
})
