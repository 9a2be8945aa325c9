import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { sign } from '../../src/voucherify/signature.js'
import { createEvents } from '../bodies.js'
import { serveParent } from '../child.js'
import type { Latency, Run } from '../measure.js'

export interface LoadOptions {
  readonly port: number
  readonly connections: number
  readonly events: number
  readonly secret: string
}

export type Load = Pick<Run, 'events' | 'ms'> & { readonly latency: Latency }

const eventAt = createEvents(new Date())
const ACCEPTED = 'HTTP/1.1 202 '
let made = 0

/** The whole request, ready to be written. */
function nextRequest (secret: string): Buffer {
  const { body } = eventAt(made++)
  const head = 'POST /webhooks HTTP/1.1\r\nhost: 127.0.0.1\r\nuser-agent: bench\r\naccept: */*\r\ncontent-type: application/json\r\n' +
    `content-length: ${body.byteLength}\r\nx-voucherify-signature: ${sign(body, secret)}\r\n\r\n`
  return Buffer.concat([Buffer.from(head), body])
}

async function openSockets (port: number, connections: number): Promise<readonly Socket[]> {
  return await Promise.all(Array.from({ length: connections }, async () => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    return socket
  }))
}

/** Whether an answer is all there. Those of these servers say their length. */
function isWhole (text: string): boolean {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return false
  const length = /\r\ncontent-length: (\d+)/i.exec(text)?.[1]
  return text.length >= end + 4 + Number(length ?? 0)
}

/** One connection: the next request when the answer to the one before is there. */
async function work (socket: Socket, take: () => Buffer | undefined, note: (ms: number) => void): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let sentAt = 0
    let text = ''

    function next (): void {
      const request = take()
      if (request === undefined) {
        resolve()
        return
      }
      sentAt = performance.now()
      socket.write(request)
    }

    socket.on('error', reject)
    socket.on('close', () => { reject(new Error('The server closed a connection')) })
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (!isWhole(text)) return
      if (!text.startsWith(ACCEPTED)) {
        reject(new Error(`The server answered ${text.slice(0, 300)}`))
        return
      }
      note(performance.now() - sentAt)
      text = ''
      next()
    })
    next()
  })
}

function percentiles (times: Float64Array): Latency {
  const sorted = times.toSorted()
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999) }
}

const api = {
  async run ({ port, connections, events, secret }: LoadOptions): Promise<Load> {
    const requests = Array.from({ length: events }, () => nextRequest(secret))
    const sockets = await openSockets(port, connections)
    const times = new Float64Array(events)
    let sent = 0
    let answered = 0
    const before = performance.now()
    await Promise.all(sockets.map(async (socket) => {
      await work(socket, () => requests[sent++], (ms) => { times[answered++] = ms })
    }))
    const ms = performance.now() - before
    for (const socket of sockets) socket.removeAllListeners().on('error', () => {}).destroy()
    return { events, ms, latency: percentiles(times) }
  }
}

export type LoadApi = typeof api

serveParent(api)
