import { once } from 'node:events'
import { connect } from 'node:net'
import { sign } from '../../src/voucherify/signature.js'
import { createEvents } from '../bodies.js'
import { serveParent } from '../child.js'
import type { Latency, Run } from '../measure.js'

export interface LoadOptions {
  /** The ports of one service's replicas. All get the same number of connections. */
  readonly ports: readonly number[]
  readonly connections: number
  readonly events: number
  readonly secret: string
}

export type Load = Pick<Run, 'events' | 'ms'> & Required<Pick<Run, 'latency' | 'loadCpuMs'>>

const eventAt = createEvents(new Date())
const ACCEPTED = 'HTTP/1.1 202 '
/** More than the longest answer of these servers. */
const ANSWER_BYTES = 8192
let made = 0

/** Returns a whole request, ready to be written. */
function nextRequest (secret: string): Buffer {
  const { body } = eventAt(made++)
  const head = 'POST /webhooks HTTP/1.1\r\nhost: 127.0.0.1\r\nuser-agent: bench\r\naccept: */*\r\ncontent-type: application/json\r\n' +
    `content-length: ${body.byteLength}\r\nx-voucherify-signature: ${sign(body, secret)}\r\n\r\n`
  return Buffer.concat([Buffer.from(head), body])
}

/**
 * Returns the length of the answer at the beginning of a buffer; `undefined` if its end has not arrived. These servers send a length.
 * @throws {Error} for an answer other than 202
 */
function answerLength (bytes: Buffer): number | undefined {
  const text = bytes.toString('latin1')
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  if (!text.startsWith(ACCEPTED)) throw new Error(`The server answered ${text.slice(0, 300)}`)
  const length = end + 4 + Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1] ?? 0)
  return bytes.byteLength >= length ? length : undefined
}

interface Connection {
  /** Sends one request after another, each when the previous one is answered. */
  readonly work: (take: () => Buffer | undefined, note: (ms: number) => void) => Promise<void>
  readonly close: () => void
}

/** Reads into its own buffer, and examines an answer as little as possible, because the server loses the CPU time that this takes. */
async function openConnection (port: number): Promise<Connection> {
  const buffer = Buffer.alloc(ANSWER_BYTES)
  let received = (_bytes: number): void => {}
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, onread: { buffer, callback: (bytes) => { received(bytes); return true } } })
  await once(socket, 'connect')

  function work (take: () => Buffer | undefined, note: (ms: number) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      let sentAt = 0
      let usualLength = 0
      let partial = Buffer.alloc(0)

      function next (): void {
        const request = take()
        if (request === undefined) {
          resolve()
          return
        }
        sentAt = performance.now()
        socket.write(request)
      }

      function answered (): void {
        note(performance.now() - sentAt)
        next()
      }

      /** An answer with the length of the previous one and the right status line is taken for complete, without more parsing. */
      received = (bytes) => {
        if (partial.byteLength === 0 && bytes === usualLength && buffer.toString('latin1', 0, ACCEPTED.length) === ACCEPTED) {
          answered()
          return
        }
        try {
          partial = Buffer.concat([partial, buffer.subarray(0, bytes)])
          const length = answerLength(partial)
          if (length === undefined) return
          usualLength = length
          partial = Buffer.alloc(0)
          answered()
        } catch (error) {
          reject(error)
        }
      }
      socket.on('error', reject)
      socket.on('close', () => { reject(new Error('The server closed a connection')) })
      next()
    })
  }

  return { work, close: () => { socket.removeAllListeners().on('error', () => {}).destroy() } }
}

function percentiles (times: Float64Array): Latency {
  const sorted = times.toSorted()
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999) }
}

const api = {
  async run ({ ports, connections, events, secret }: LoadOptions): Promise<Load> {
    const requests = Array.from({ length: events }, () => nextRequest(secret))
    const opened = await Promise.all(Array.from({ length: connections }, async (_each, index) => await openConnection(ports[index % ports.length] ?? 0)))
    const times = new Float64Array(events)
    let sent = 0
    let answered = 0
    const before = performance.now()
    const cpuBefore = process.cpuUsage()
    await Promise.all(opened.map(async ({ work }) => { await work(() => requests[sent++], (ms) => { times[answered++] = ms }) }))
    const ms = performance.now() - before
    const { user, system } = process.cpuUsage(cpuBefore)
    for (const { close } of opened) close()
    return { events, ms, loadCpuMs: (user + system) / 1000, latency: percentiles(times) }
  }
}

export type LoadApi = typeof api

serveParent(api)
