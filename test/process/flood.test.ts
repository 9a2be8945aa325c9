import { readFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { postEvent, startServiceProcess, type ServiceProcess } from '../support/service-process.js'

const HEAD = 'POST /webhooks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
const COULD_BE_SIGNED = `X-Voucherify-Signature: ${'a'.repeat(64)}\r\n`
const REQUEST = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'

interface Flooded {
  readonly service: ServiceProcess
  readonly port: number
  readonly logBytes: () => number
}

async function start (t: Test, environment: Readonly<Record<string, string>> = {}): Promise<Flooded> {
  let bytes = 0
  const service = await startServiceProcess(t.testdir(), environment, (text) => { bytes += text.length })
  t.teardown(async () => await service.kill('SIGKILL'))
  return { service, port: Number(new URL(service.url).port), logBytes: () => bytes }
}

/** Keeps a number of connections open that each send this text, and replaces each closed one, until a number of bytes is sent. */
function flood (t: Test, port: number, { connections, text, bytes }: { readonly connections: number, readonly text: string, readonly bytes: number }): Promise<void> {
  const sockets = new Set<Socket>()
  t.teardown(() => { for (const socket of sockets) socket.destroy() })
  let left = bytes
  return new Promise((resolve) => {
    function open (): void {
      if (left <= 0) {
        if (sockets.size === 0) resolve()
        return
      }
      left -= text.length
      const socket = connect({ port, host: '127.0.0.1' })
      sockets.add(socket)
      socket.resume()
      socket.on('error', () => { /* Seen as the close that follows. */ })
      socket.on('close', () => {
        sockets.delete(socket)
        open()
      })
      socket.end(text)
    }
    for (let index = 0; index < connections; index++) open()
  })
}

let rounds = 0

/** The longest time that a genuine event waited for its answer during other work, in milliseconds. */
async function worstWhile (url: string, over: Promise<void>, agent = new Agent({ keepAlive: true })): Promise<number> {
  const from = ++rounds
  let going = true
  const ended = over.finally(() => { going = false })
  let worst = 0
  for (let count = 0; going || count < 10; count++) {
    const { status, ms } = await postEvent(url, `genuine-${from}-${count}`, agent)
    if (status !== 202) throw new Error(`answered ${status}`)
    worst = Math.max(worst, ms)
    await sleep(10)
  }
  await ended
  agent.destroy()
  return worst
}

t.test('six megabytes of tiny pipelined requests neither fill the log nor delay the sender', async (t) => {
  const { service, port, logBytes } = await start(t)
  const text = REQUEST.repeat(Math.ceil(1_500_000 / REQUEST.length))
  const worst = await worstWhile(service.url, flood(t, port, { connections: 4, text, bytes: 4 * text.length }))
  t.comment(`${logBytes()} bytes of log, the genuine sender waited ${Math.round(worst)} ms at worst`)
  t.ok(worst < 1000, `${worst} ms`)
  t.ok(logBytes() < 300_000, `${logBytes()} bytes`)
})

t.test('forty connections, opened again and again, do not shut the sender out', async (t) => {
  const { service, port, logBytes } = await start(t)
  const text = REQUEST.repeat(5000)
  for (const agent of [new Agent({ keepAlive: true }), new Agent({ keepAlive: false })]) {
    const worst = await worstWhile(service.url, flood(t, port, { connections: 40, text, bytes: 200 * text.length }), agent)
    t.comment(`the genuine sender waited ${Math.round(worst)} ms at worst`)
    t.ok(worst < 1000, `${worst} ms`)
  }
  t.ok(logBytes() < 300_000, `${logBytes()} bytes`)
})

const others: Readonly<Record<string, string>> = {
  'of wrong signatures': `${HEAD}${COULD_BE_SIGNED}Content-Length: 2\r\n\r\n{}`,
  'of health checks': 'GET /health/ready HTTP/1.1\r\nHost: x\r\n\r\n'
}

for (const [name, request] of Object.entries(others)) {
  t.test(`a flood ${name} does not shut the sender out`, async (t) => {
    const { service, port, logBytes } = await start(t)
    const text = request.repeat(1000)
    const worst = await worstWhile(service.url, flood(t, port, { connections: 40, text, bytes: 200 * text.length }))
    t.comment(`${logBytes()} bytes of log, the genuine sender waited ${Math.round(worst)} ms at worst`)
    t.ok(worst < 1000, `${worst} ms`)
    t.ok(logBytes() < 300_000, `${logBytes()} bytes`)
  })
}

/** Memory in use, or its maximum so far, in MiB. */
function memory (service: ServiceProcess, field: 'VmRSS' | 'VmHWM'): number {
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${service.child.pid}/status`, 'utf8'))?.[1]) / 1024
}

/** Opens a number of connections that send this text and nothing more. Resolves when each has sent it, or is closed. */
async function stall (t: Test, port: number, count: number, text: Buffer): Promise<void> {
  await Promise.all(Array.from({ length: count }, async () => {
    const socket = connect({ port, host: '127.0.0.1' })
    t.teardown(() => { socket.destroy() })
    socket.resume()
    await new Promise<void>((resolve) => {
      socket.on('error', () => { /* Seen as the close that follows. */ })
      socket.on('close', resolve)
      socket.write(text, () => { resolve() })
    })
  }))
}

const stalls: Readonly<Record<string, { readonly count: number, readonly text: string }>> = {
  'bodies without a signature': { count: 400, text: `${HEAD}Content-Length: 1000000\r\n\r\n${' '.repeat(700_000)}` },
  'bodies with a wrong signature': { count: 400, text: `${HEAD}${COULD_BE_SIGNED}Content-Length: 1000000\r\n\r\n${' '.repeat(700_000)}` },
  // Each chunk costs a microsecond. Kept as buffers of one byte they would take gigabytes.
  'chunks of one byte': { count: 100, text: `${HEAD}${COULD_BE_SIGNED}Transfer-Encoding: chunked\r\n\r\n${'1\r\n \r\n'.repeat(20_000)}` }
}

for (const [name, { count, text }] of Object.entries(stalls)) {
  t.test(`${name}, of ${count} connections that stall, take little memory`, async (t) => {
    const { service, port } = await start(t)
    await postEvent(service.url, 'first')
    const before = memory(service, 'VmRSS')
    const worst = await worstWhile(service.url, stall(t, port, count, Buffer.from(text)))
    const most = memory(service, 'VmHWM') - before
    t.comment(`${Math.round(most)} MiB more at most, the genuine sender waited ${Math.round(worst)} ms at worst`)
    // All bodies together would be 280 MiB. 32 are kept, and dropped ones until the next garbage collection.
    t.ok(most < 200, `${most} MiB`)
    // The sender gives up after ten seconds.
    t.ok(worst < 10_000, `${worst} ms`)
  })
}
