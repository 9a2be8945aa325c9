import { mkdirSync } from 'node:fs'
import { createHmac } from 'node:crypto'
import { request } from 'node:http'
import { join } from 'node:path'
import type { Test } from 'tap'
import { startDestination, type FleetDestination } from './fleet-destination.js'
import { checkPromises } from './fleet-promises.js'
import { CUSTOMERS, randomOf, startSender, type Answer, type Sent } from './fleet-sender.js'
import { freePort, type PostgresServer } from './postgres-server.js'
import { PROCESS_SECRET, startServiceProcess, type ServiceProcess } from './service-process.js'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js'

const SCHEMA = 'tierhook'
/** A 503 after this time breaks a promise, in milliseconds. It includes half a second for the test itself. */
const LATEST_ANSWER_MS = 5500

export interface FleetOptions {
  readonly server: PostgresServer
  /** A standby of the server, which can replace it. */
  readonly standby?: PostgresServer
  readonly replicas: number
  readonly seed: number
  /** The time after which a 503 is too late, for machines that are busy with other work. */
  readonly latestAnswerMs?: number
}

export interface Fleet extends Pick<FleetDestination, 'arrivals' | 'copies' | 'lastFrom'> {
  readonly replicas: ServiceProcess[]
  readonly sent: readonly Sent[]
  readonly violations: string[]
  /** Events whose only answers were 503, but that became durable afterwards. */
  readonly storedLate: string[]
  /** Allows one such event per customer. A commit in progress may become durable although its answer is lost. */
  readonly allowLateStores: () => void
  readonly lateStoresAllowed: () => number
  readonly standby: PostgresServer | undefined
  readonly primary: () => PostgresServer
  readonly setPrimary: (server: PostgresServer) => void
  /** The network of each replica to the database. */
  readonly networks: readonly TcpProxy[]
  /** Queries the primary. `{s}` is replaced by the journal's schema. */
  readonly query: <T>(text: string) => Promise<T[]>
  readonly start: (index: number) => Promise<ServiceProcess>
  /** Returns the index of the replica that leads a forwarder now; by default the http forwarder. */
  readonly leader: (forwarder?: 'http' | 'file') => Promise<number | undefined>
  readonly post: (index: number, event: string, customer: string) => Promise<Answer & { readonly ms: number }>
  /** When an event was last answered 202, in monotonic time. */
  readonly lastAccepted: () => number
  readonly health: (index: number, kind: 'ready' | 'live') => Promise<number>
  /** Sends a request to a replica's operator listener. */
  readonly ask: (index: number, path: string) => Promise<string>
  /** Stops the sender, waits until everything is forwarded, and checks the promises. */
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

async function call (url: URL, body?: Buffer): Promise<{ readonly status: number, readonly body: string, readonly ms: number }> {
  const startedAt = performance.now()
  return await new Promise((resolve, reject) => {
    const call = request(url, {
      method: body === undefined ? 'GET' : 'POST',
      // A suspended replica swallows requests. Like a load balancer, give up soon.
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

/** Starts replicas of the built program on one database, each with its own network, with a destination and a sender. */
export async function startFleet (t: Pick<Test, 'teardown'> & { readonly testdir: () => string }, { server, standby, replicas: count, seed, latestAnswerMs = LATEST_ANSWER_MS }: FleetOptions): Promise<Fleet> {
  const folder = t.testdir()
  const random = randomOf(seed)
  const violations: string[] = []
  const replicas: ServiceProcess[] = []
  const adminPorts: number[] = []
  const networks = await Promise.all(Array.from({ length: count }, async () => await startTcpProxy(t, server.port)))
  const destination = await startDestination(t, random)
  let primary = server
  let lateStores = 0
  let lastAccepted = -Infinity

  async function start (index: number): Promise<ServiceProcess> {
    const dataDir = join(folder, String(index))
    mkdirSync(dataDir, { recursive: true })
    const adminPort = adminPorts[index] = await freePort()
    const started = await startServiceProcess(dataDir, {
      JOURNAL: `postgres://tierhook@127.0.0.1:${networks[index]?.port}/postgres`,
      JOURNAL_SCHEMA: SCHEMA,
      REPLICA_NAME: `replica-${index}`,
      ADMIN_PORT: String(adminPort),
      FORWARDERS: 'http,file',
      HTTP_FORWARDER_URL: destination.url,
      HTTP_FORWARDER_HEADERS: `X-Replica: ${index}`,
      HTTP_FORWARDER_ORDER: 'customer',
      RETRY_MIN_MS: '50',
      RETRY_MAX_MS: '500'
    })
    t.teardown(() => { started.child.kill('SIGKILL') })
    replicas[index] = started
    return started
  }

  async function callReplica (index: number, path: string, body?: Buffer): ReturnType<typeof call> {
    const url = replicas[index]?.url
    if (url === undefined) throw new Error('no such replica')
    return await call(new URL(path, url), body)
  }

  async function post (index: number, event: string, customer: string) {
    const { status, body, ms } = await callReplica(index, '/webhooks', bodyOf(event, customer))
    if (status === 202) lastAccepted = performance.now()
    if (status === 503 && ms > latestAnswerMs) violations.push(`${event} was answered 503 after ${Math.round(ms)} ms`)
    const { id, detail } = JSON.parse(body) as { readonly id?: string, readonly detail?: string }
    return { status, id, detail, ms }
  }

  async function query<T> (text: string): Promise<T[]> {
    return await primary.query<T>(text.replaceAll('{s}', SCHEMA))
  }

  await Promise.all(Array.from({ length: count }, async (_, index) => await start(index)))
  const sender = startSender({ replicas: count, random, post, violations })
  const fleet: Fleet = {
    ...destination,
    replicas,
    sent: sender.sent,
    violations,
    storedLate: [],
    allowLateStores () { lateStores += CUSTOMERS },
    lateStoresAllowed: () => lateStores,
    standby,
    primary: () => primary,
    setPrimary (promoted) { primary = promoted },
    networks,
    query,
    start,
    post,
    lastAccepted: () => lastAccepted,
    health: async (index, kind) => (await callReplica(index, `/health/${kind}`)).status,
    ask: async (index, path) => (await call(new URL(path, `http://127.0.0.1:${adminPorts[index]}`))).body,
    async leader (forwarder = 'http') {
      const [row] = await query<{ name: string }>(`SELECT m.name FROM {s}.forwarders f JOIN {s}.members m ON m.id = f.holder WHERE f.name = '${forwarder}' AND m.lease_until > {s}.now_ms()`)
      return row === undefined ? undefined : Number(row.name.split('-')[1])
    },
    async finish () {
      await sender.stop()
      await checkPromises(fleet, { folder })
    }
  }
  return fleet
}
