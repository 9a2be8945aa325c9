import { mkdirSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Test } from 'tap'
import { eventually } from './eventually.js'
import type { PostgresServer } from './postgres-server.js'
import { PROCESS_SECRET, startServiceProcess, type ServiceProcess } from './service-process.js'

const SCHEMA = 'tierhook'
/** A 503 after this time breaks a promise, in milliseconds; half a second is the test's own. */
const LATEST_ANSWER_MS = 5500
const CUSTOMERS = 12
/** Of the destination's answers, and of the sender's 503s that it tries again. */
const FAILING = 0.02
const RETRYING = 0.7

export interface FleetOptions {
  readonly server: PostgresServer
  readonly replicas: number
  readonly seed: number
  readonly environment?: Readonly<Record<string, string>>
  /** When a 503 comes too late, where the machine has much else to do. */
  readonly latestAnswerMs?: number
}

export interface Sent {
  readonly event: string
  readonly customer: string
  /** The id that it was answered with, by 202 or 200. */
  deliveryId: string | undefined
  /** Whether each try was answered 503: then it must be nowhere. */
  refused: boolean
}

export interface Fleet {
  readonly replicas: ServiceProcess[]
  readonly sent: readonly Sent[]
  readonly violations: string[]
  /** When each event first came to the destination, by the monotonic clock. */
  readonly arrivals: ReadonlyMap<string, number>
  readonly copies: () => number
  readonly start: (index: number) => Promise<ServiceProcess>
  /** The index of the replica that leads the http forwarder now. */
  readonly leader: () => Promise<number | undefined>
  readonly post: (index: number, event: string, customer: string) => Promise<{ readonly status: number, readonly id: string | undefined, readonly ms: number }>
  readonly health: (index: number, kind: 'ready' | 'live') => Promise<number>
  /** Ends the sending, waits until all is through, and checks what must hold. */
  readonly finish: () => Promise<void>
}

function bodyOf (event: string, customer: string): Buffer {
  return Buffer.from(JSON.stringify({
    id: `whs_${event}`,
    type: 'tier.upgraded',
    source: { id: 'distr_1', object: 'distribution' },
    event: { id: event, type: 'customer.loyalty.tier.upgraded', created_at: new Date().toISOString() },
    data: { customer: { id: customer, object: 'customer' }, campaign: null, loyalty_tier_from: null, loyalty_tier_to: { id: 'ltr_1' }, created_at: '2026-01-31T00:00:00Z' }
  }))
}

/** Numbers that a seed makes: a linear congruential generator is enough to choose by. */
export function randomOf (seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** Replicas of the built program on one database, a destination that fails now and then, and a sender: each customer's events one after another, to any replica. */
export async function startFleet (t: Pick<Test, 'teardown'> & { readonly testdir: () => string }, { server, replicas: count, seed, environment = {}, latestAnswerMs = LATEST_ANSWER_MS }: FleetOptions): Promise<Fleet> {
  const folder = t.testdir()
  const random = randomOf(seed)
  const arrivals = new Map<string, number>()
  const violations: string[] = []
  const sent: Sent[] = []
  const replicas: ServiceProcess[] = []
  let copies = 0
  let stopped = false

  const destination = createServer((incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => { chunks.push(chunk) })
    incoming.on('error', () => undefined)
    incoming.on('end', () => {
      if (random() < FAILING) return response.writeHead(500).end()
      const { event } = JSON.parse(Buffer.concat(chunks).toString()) as { event: { id: string } }
      if (arrivals.has(event.id)) copies++
      else arrivals.set(event.id, performance.now())
      response.end()
    })
  }).listen(0, '127.0.0.1')
  await once(destination, 'listening')
  t.teardown(() => {
    destination.closeAllConnections()
    destination.close()
  })

  async function start (index: number): Promise<ServiceProcess> {
    const dataDir = join(folder, String(index))
    mkdirSync(dataDir, { recursive: true })
    const started = await startServiceProcess(dataDir, {
      JOURNAL: server.url,
      JOURNAL_SCHEMA: SCHEMA,
      REPLICA_NAME: `replica-${index}`,
      FORWARDERS: 'http',
      HTTP_FORWARDER_URL: `http://127.0.0.1:${(destination.address() as AddressInfo).port}/`,
      HTTP_FORWARDER_ORDER: 'customer',
      RETRY_MIN_MS: '50',
      RETRY_MAX_MS: '500',
      ...environment
    })
    t.teardown(() => { started.child.kill('SIGKILL') })
    replicas[index] = started
    return started
  }

  async function call (index: number, path: string, body?: Buffer): Promise<{ readonly status: number, readonly body: string, readonly ms: number }> {
    const url = replicas[index]?.url
    if (url === undefined) throw new Error('no such replica')
    const startedAt = performance.now()
    return await new Promise((resolve, reject) => {
      const call = request(new URL(path, url), {
        method: body === undefined ? 'GET' : 'POST',
        // A replica that is stopped swallows requests: a balancer has a short timeout.
        timeout: 8000,
        headers: body === undefined ? {} : { 'content-type': 'application/json', 'x-voucherify-signature': createHmac('sha256', PROCESS_SECRET).update(body).digest('hex') }
      }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => { chunks.push(chunk) })
        response.on('error', reject)
        response.on('end', () => { resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString(), ms: performance.now() - startedAt }) })
      })
      call.on('error', reject)
      call.on('timeout', () => { call.destroy(new Error('no answer')) })
      call.end(body)
    })
  }

  async function post (index: number, event: string, customer: string) {
    const { status, body, ms } = await call(index, '/webhooks', bodyOf(event, customer))
    if (status === 503 && ms > latestAnswerMs) violations.push(`${event} was answered 503 after ${Math.round(ms)} ms`)
    const id = status === 200 || status === 202 ? (JSON.parse(body) as { id?: string }).id : undefined
    return { status, id, ms }
  }

  /** Tries until it is answered well, or given up. */
  async function send (one: Sent): Promise<void> {
    for (;;) {
      const answer = await post(Math.floor(random() * replicas.length), one.event, one.customer).catch(() => undefined)
      if (answer === undefined) one.refused = false
      else if (answer.status === 200 || answer.status === 202) {
        if (answer.id === undefined) violations.push(`${one.event} was answered ${answer.status} without an id`)
        one.deliveryId = answer.id
        one.refused = false
        return
      } else if (answer.status !== 503) violations.push(`${one.event} was answered ${answer.status}`)
      if (answer !== undefined && (stopped || random() > RETRYING)) return
      await pause(50 + random() * 200)
    }
  }

  async function sendAll (customer: string): Promise<void> {
    for (let number = 0; !stopped; number++) {
      const one: Sent = { event: `ev_${customer}_${number}`, customer, deliveryId: undefined, refused: true }
      sent.push(one)
      await send(one)
      await pause(50 + random() * 100)
    }
  }

  async function leader (): Promise<number | undefined> {
    const [row] = await server.query<{ name: string }>(`SELECT m.name FROM ${SCHEMA}.forwarders f JOIN ${SCHEMA}.members m ON m.id = f.holder WHERE f.name = 'http' AND m.lease_until > ${SCHEMA}.now_ms()`)
    return row === undefined ? undefined : Number(row.name.split('-')[1])
  }

  await Promise.all(Array.from({ length: count }, async (_, index) => await start(index)))
  const senders = Array.from({ length: CUSTOMERS }, async (_, index) => { await sendAll(`cust_${index}`) })

  return {
    replicas,
    sent,
    violations,
    arrivals,
    copies: () => copies,
    start,
    leader,
    post,
    health: async (index, kind) => (await call(index, `/health/${kind}`)).status,
    async finish () {
      stopped = true
      await Promise.all(senders)
      const accepted = sent.filter(({ deliveryId }) => deliveryId !== undefined)
      await eventually(() => accepted.every(({ event }) => arrivals.has(event)) ? true : undefined, 'all that was accepted at the destination').catch((error: unknown) => {
        violations.push(`${String(error)}: ${accepted.filter(({ event }) => !arrivals.has(event)).map(({ event }) => event).join(', ')}`)
      })
      const stored = await server.query<{ id: string, event_id: string }>(`SELECT id, event_id FROM ${SCHEMA}.deliveries`)
      const idsOf = new Map<string, string[]>()
      for (const { id, event_id: event } of stored) idsOf.set(event, [...idsOf.get(event) ?? [], id])
      for (const { event, deliveryId, refused } of sent) {
        const ids = idsOf.get(event) ?? []
        if (deliveryId !== undefined && (ids.length !== 1 || ids[0] !== deliveryId)) violations.push(`${event} was answered with ${deliveryId} and is stored as ${ids.join(', ')}`)
        if (refused && (ids.length > 0 || arrivals.has(event))) violations.push(`${event} was answered 503 alone and is stored`)
      }
      const lastOf = new Map<string, number>()
      for (const { event, customer } of accepted) {
        const at = arrivals.get(event) ?? 0
        if (at < (lastOf.get(customer) ?? 0)) violations.push(`${event} came before what was accepted before it`)
        lastOf.set(customer, at)
      }
    }
  }
}
