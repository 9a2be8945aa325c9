import { createHmac } from 'node:crypto'
import { closeSync, createReadStream, openSync, readFileSync, readSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Pool } from 'undici'
import { PROCESS_SECRET, startServiceProcess } from './service-process.js'

const CONNECTIONS = 32
const CUSTOMERS = 200
const PROBES = 15

export interface BacklogFacts {
  readonly deliveries: number
  /** Accepted deliveries per second, in the first and in the last tenth. */
  readonly firstRate: number
  readonly lastRate: number
  /** From the answer until the line is in the file: the median of some probes, in milliseconds. */
  readonly firstFileDelayMs: number
  readonly lastFileDelayMs: number
  /** The answers of `/health/live` and `/health/ready` while the whole backlog is waiting. */
  readonly health: readonly number[]
  /** Resident memory while the whole backlog is waiting, and its peak. */
  readonly waitingMiB: number
  readonly peakMiB: number
  /** From the start of the destination until all deliveries had arrived. */
  readonly drainMs: number
  /** From the start of a process with the whole backlog until it listens. */
  readonly restartMs: number
  readonly arrived: number
  /** Customers whose moves did not arrive in order. */
  readonly outOfOrder: readonly string[]
  readonly fileLines: number
  /** The operator API's times for the two newest pages of deliveries, in milliseconds. The first call, which starts a thread, is not counted. */
  readonly pageMs: readonly number[]
}

/** Lets deliveries pile up while an HTTP destination is down, beside a file forwarder. Then restarts the service and starts the destination. */
export async function pileUp ({ dataDir, deliveries }: { readonly dataDir: string, readonly deliveries: number }): Promise<BacklogFacts> {
  const port = await freePort()
  const adminPort = await freePort()
  const environment = {
    ADMIN_PORT: String(adminPort), FORWARDERS: 'file,http', HTTP_FORWARDER_URL: `http://127.0.0.1:${port}/`, FILE_FORWARDER_ROTATE_BYTES: '0', RETRY_MIN_MS: '100', RETRY_MAX_MS: '500'
  }
  let service = await startServiceProcess(dataDir, environment)
  const tenth = Math.floor(deliveries / 10)
  let sent = 0

  async function sendMany (count: number): Promise<number> {
    const pool = new Pool(service.url, { connections: CONNECTIONS })
    const last = sent + count
    const startedAt = performance.now()
    // Each connection has its own customers, so that each customer's moves are accepted in order.
    await Promise.all(Array.from({ length: CONNECTIONS }, async (_, connection) => {
      for (let move = firstMove(sent, connection); move < last; move += CONNECTIONS) await send(pool, move)
    }))
    const rate = count / (performance.now() - startedAt) * 1000
    sent = last
    await pool.destroy()
    return rate
  }

  async function probe (): Promise<number> {
    const pool = new Pool(service.url, { connections: 1 })
    const delays: number[] = []
    for (let index = 0; index < PROBES; index++) {
      await send(pool, sent)
      delays.push(await untilInFile(join(dataDir, 'events.ndjson'), `"ev_${sent}"`))
      sent++
    }
    await pool.destroy()
    return delays.sort((a, b) => a - b)[PROBES >> 1] ?? Infinity
  }

  await sendMany(100)
  const firstFileDelayMs = await probe()
  const firstRate = await sendMany(tenth)
  await sendMany(deliveries - sent - tenth - PROBES)
  const lastFileDelayMs = await probe()
  const lastRate = await sendMany(tenth)
  const waitingMiB = memoryMiB(service.child.pid, 'VmRSS')
  const peakMiB = memoryMiB(service.child.pid, 'VmHWM')
  const pageMs = await timePages(`http://127.0.0.1:${adminPort}`)
  const health = await Promise.all(['live', 'ready'].map(async (name) => (await fetch(new URL(`/health/${name}`, service.url))).status))
  await service.kill('SIGKILL')

  const restartedAt = performance.now()
  service = await startServiceProcess(dataDir, environment)
  const restartMs = performance.now() - restartedAt

  const arrivals = new Map<string, number[]>()
  const seen = new Set<number>()
  const server = await listen(port, (customer, move) => {
    if (seen.has(move)) return
    seen.add(move)
    arrivals.set(customer, [...arrivals.get(customer) ?? [], move])
  })
  const cameBackAt = performance.now()
  while (seen.size < sent && performance.now() - cameBackAt < 600_000) await pause(20)
  const drainMs = performance.now() - cameBackAt
  await service.kill('SIGTERM')
  server.closeAllConnections()
  server.close()

  return {
    deliveries: sent,
    firstRate,
    lastRate,
    firstFileDelayMs,
    lastFileDelayMs,
    health,
    waitingMiB,
    peakMiB,
    drainMs,
    restartMs,
    arrived: seen.size,
    outOfOrder: [...arrivals].filter(([, moves]) => moves.some((move, index) => index > 0 && move < (moves[index - 1] ?? 0))).map(([customer]) => customer),
    fileLines: await countLines(join(dataDir, 'events.ndjson')),
    pageMs
  }
}

function firstMove (from: number, connection: number): number {
  return from + ((connection - from % CONNECTIONS) + CONNECTIONS) % CONNECTIONS
}

async function send (pool: Pool, move: number): Promise<void> {
  const customer = { id: `cust_${move % CONNECTIONS}_${Math.floor(move / CONNECTIONS) % Math.ceil(CUSTOMERS / CONNECTIONS)}`, object: 'customer', metadata: { move } }
  const body = Buffer.from(JSON.stringify({
    id: `whs_${move}`,
    source: { id: 'distr_1', object: 'distribution' },
    event: { id: `ev_${move}`, type: 'customer.loyalty.tier.upgraded' },
    data: { customer, campaign: null, loyalty_tier_from: null, loyalty_tier_to: { id: 'ltr_1' }, created_at: '2026-01-31T00:00:00Z' }
  }))
  const signature = createHmac('sha256', PROCESS_SECRET).update(body).digest('hex')
  const response = await pool.request({ method: 'POST', path: '/webhooks', headers: { 'content-type': 'application/json', 'x-voucherify-signature': signature }, body })
  await response.body.dump()
  if (response.statusCode !== 202) throw new Error(`move ${move} was answered with ${response.statusCode}`)
}

async function untilInFile (path: string, text: string): Promise<number> {
  const startedAt = performance.now()
  for (;;) {
    if (endOf(path).includes(text)) return performance.now() - startedAt
    if (performance.now() - startedAt > 120_000) throw new Error(`Timed out waiting for ${text} in the file`)
    await pause(1)
  }
}

async function timePages (url: string): Promise<readonly number[]> {
  await fetch(new URL('/api/deliveries', url))
  const pageMs: number[] = []
  for (let cursor = ''; pageMs.length < 2;) {
    const startedAt = performance.now()
    const page = await (await fetch(new URL(`/api/deliveries?${cursor}`, url))).json() as { readonly next: string }
    pageMs.push(performance.now() - startedAt)
    cursor = `cursor=${encodeURIComponent(page.next)}`
  }
  return pageMs
}

/** Reads in chunks, because a file of a million lines is longer than the longest string. */
async function countLines (path: string): Promise<number> {
  let lines = 0
  for await (const chunk of createReadStream(path)) {
    for (let at = (chunk as Buffer).indexOf(0x0A); at !== -1; at = (chunk as Buffer).indexOf(0x0A, at + 1)) lines++
  }
  return lines
}

function endOf (path: string): string {
  const { size } = statSync(path)
  const buffer = Buffer.alloc(Math.min(size, 65_536))
  const file = openSync(path, 'r')
  readSync(file, buffer, 0, buffer.byteLength, size - buffer.byteLength)
  closeSync(file)
  return buffer.toString('utf8')
}

function memoryMiB (pid: number | undefined, field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024
}

async function listen (port: number, onMove: (customer: string, move: number) => void): Promise<Server> {
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => { body += chunk.toString() })
    request.on('end', () => {
      const { data: { customer } } = JSON.parse(body)
      onMove(customer.id, customer.metadata.move)
      response.end()
    })
  })
  await new Promise<void>((resolve) => { server.listen(port, '127.0.0.1', resolve) })
  return server
}

async function freePort (): Promise<number> {
  const server = await listen(0, () => {})
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => { server.close(resolve) })
  return port
}
