import { existsSync, readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PROCESS_SECRET, startServiceProcess } from '../service-process.js'
import { CANARY, PATH_CANARY, SMUGGLED } from './canaries.js'
import { conversationOf, talk } from './conversation.js'
import { linger } from './lingerers.js'
import { behaveWell } from './well-behaved.js'

export interface AbuseOptions {
  readonly dataDir: string
  readonly requests: number
  readonly seed: number
  /** Runs only these conversations, whatever `requests` is. */
  readonly only?: readonly number[]
  readonly onProgress?: (requests: number) => void
}

export interface AbuseFacts {
  readonly seed: number
  readonly requests: number
  readonly connections: number
  readonly seconds: number
  /** The number of answers per status. */
  readonly statuses: Readonly<Record<string, number>>
  /** The parser's reasons for refusing malformed requests, as far as they were logged. */
  readonly notUnderstood: Readonly<Record<string, number>>
  /** The number of slow connections that the service has cut off. */
  readonly cutOff: number
  /** What went wrong, with the seed and conversation to repeat it. */
  readonly faults: readonly string[]
  /** Acknowledged deliveries, of the abusive clients and of the well-behaved one. */
  readonly acknowledged: number
  readonly acknowledgedToGood: number
  /** Ids that break the promise. Both lists must be empty. */
  readonly lost: readonly string[]
  readonly twice: readonly string[]
  /** How long the well-behaved client waited, in milliseconds. */
  readonly p50Ms: number
  readonly p99Ms: number
  readonly worstMs: number
  /** The service's memory after a fifth of the requests, and after all of them. */
  readonly warmMiB: number
  readonly endMiB: number
  /** The service's open sockets before and after. */
  readonly socketsBefore: number
  readonly socketsAfter: number
}

/** The number of abusive connections at the same time. */
const CONCURRENCY = 8
const LINGERERS = 24
const LIMIT_BYTES = 65_536
const FAULTS_TOLD = 20
/** Slow clients must be cut off within this time, in milliseconds. A request may take 10 s to arrive, which is checked every second. */
const SLOW_MS = 25_000

/** Runs a service and abuses it with everything that the seed produces, while one client behaves well. */
export async function abuse ({ dataDir, requests, seed, only, onProgress = () => {} }: AbuseOptions): Promise<AbuseFacts> {
  const logged = watchLog()
  const service = await startServiceProcess(dataDir, { ADMIN_PORT: '0', BODY_LIMIT_BYTES: String(LIMIT_BYTES), FILE_FORWARDER_ROTATE_BYTES: '0', CUSTOM_WEBHOOKS: `${PATH_CANARY},__proto__` }, logged.read)
  try {
    return await attack()
  } finally {
    await service.kill('SIGKILL')
  }

  async function attack (): Promise<AbuseFacts> {
    const port = Number(new URL(service.url).port)
    const startedAt = performance.now()
    const socketsBefore = openSockets(service.child.pid)
    const good = behaveWell(service.url)
    const slow = linger(port, LINGERERS)
    const acknowledged = new Set<string>()
    const statuses = new Map<number, number>()
    const faults: string[] = []
    let sent = 0
    let connections = 0
    let warmMiB = 0

    const waitsForCutOff = (): boolean => slow.cutOff() === 0 && performance.now() - startedAt < SLOW_MS

    async function talker (): Promise<void> {
      while ((sent < requests || waitsForCutOff()) && faults.length < FAULTS_TOLD && service.child.exitCode === null) {
        const number = only === undefined ? connections : only[connections]
        if (number === undefined) return
        connections++
        const conversation = conversationOf(seed, number)
        sent += conversation.requests.length + 1
        const talked = await talk(port, conversation)
        for (const id of talked.acknowledged) acknowledged.add(id)
        for (const status of talked.statuses) statuses.set(status, (statuses.get(status) ?? 0) + 1)
        faults.push(...talked.faults.map((fault) => `seed ${seed}, conversation ${number}: ${fault}`))
        if (warmMiB === 0 && sent > requests / 5) warmMiB = memoryMiB(service.child.pid)
        onProgress(sent)
      }
    }

    await Promise.all(Array.from({ length: CONCURRENCY }, talker))
    const endMiB = memoryMiB(service.child.pid)
    const seconds = (performance.now() - startedAt) / 1000
    const cutOff = slow.cutOff()
    await slow.stop()
    const behaved = await good.stop()
    if (service.child.exitCode !== null) faults.push(`the service ended with ${service.child.exitCode}: ${service.log().slice(-3000)}`)
    // One flipped bit may make an event ten years old. It is valid then, and quarantined.
    for (const id of logged.held()) acknowledged.delete(id)
    const written = await linesWith(dataDir, acknowledged, behaved.acknowledged)
    const socketsAfter = await settledSockets(service.child.pid, socketsBefore)
    await service.kill('SIGTERM')
    faults.push(...behaved.faults, ...logged.faults())
    for (const eventId of written.eventIds.keys()) if (eventId.startsWith(SMUGGLED)) faults.push(`${eventId} was hidden inside another request but is stored`)
    return {
      seed,
      requests: sent,
      connections,
      seconds,
      statuses: Object.fromEntries([...statuses].sort(([one], [other]) => one - other)),
      notUnderstood: logged.notUnderstood(),
      cutOff,
      faults,
      acknowledged: acknowledged.size,
      acknowledgedToGood: behaved.acknowledged.length,
      lost: [...[...acknowledged].filter((id) => !written.ids.has(id)), ...behaved.acknowledged.filter((id) => !written.eventIds.has(id))],
      twice: [...written.ids, ...[...written.eventIds].filter(([id]) => id.startsWith('good-'))].filter(([, count]) => count > 1).map(([id]) => id),
      p50Ms: quantile(behaved.latencies, 0.5),
      p99Ms: quantile(behaved.latencies, 0.99),
      worstMs: quantile(behaved.latencies, 1),
      warmMiB,
      endMiB,
      socketsBefore,
      socketsAfter
    }
  }
}

function quantile (sorted: readonly number[], share: number): number {
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN)
}

/** Reads the log as it is written, because it is too large to keep. */
function watchLog (): { readonly read: (text: string) => void, readonly held: () => readonly string[], readonly faults: () => readonly string[], readonly notUnderstood: () => Readonly<Record<string, number>> } {
  const faults: string[] = []
  const held: string[] = []
  const notUnderstood: Record<string, number> = {}
  let rest = ''
  return {
    read (text) {
      const lines = `${rest}${text}`.split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        const secret = [CANARY, PROCESS_SECRET].find((each) => line.includes(each)) ?? /\b[0-9a-f]{64}\b/.exec(line)?.[0]
        if (secret !== undefined) faults.push(`the log shows the secret ${secret}: ${line.slice(0, 1000)}`)
        const reason = /"reason":"?(\w+)"?,"msg":"request not understood"/.exec(line)?.[1]
        if (reason !== undefined) notUnderstood[reason] = (notUnderstood[reason] ?? 0) + 1
        const deliveryId = /"deliveryId":"([^"]+)".*"msg":"webhook quarantined"/.exec(line)?.[1]
        if (deliveryId !== undefined) held.push(deliveryId)
        if (/"level":[56]0\b/.test(line) && !line.includes('JOURNAL_UNAVAILABLE')) faults.push(`the log has an error: ${line.slice(0, 3000)}`)
      }
    },
    held: () => held,
    faults: () => faults.slice(0, FAULTS_TOLD),
    notUnderstood: () => notUnderstood
  }
}

/** Returns how often each delivery and event is in the file. Waits until all of these are in it, or the time is over. */
async function linesWith (dataDir: string, ids: ReadonlySet<string>, eventIds: readonly string[]): Promise<{ readonly ids: ReadonlyMap<string, number>, readonly eventIds: ReadonlyMap<string, number> }> {
  const path = join(dataDir, 'events.ndjson')
  for (const deadline = performance.now() + 120_000; ;) {
    const found = { ids: new Map<string, number>(), eventIds: new Map<string, number>() }
    for (const line of existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []) {
      const { id, eventId } = JSON.parse(line)
      found.ids.set(id, (found.ids.get(id) ?? 0) + 1)
      if (typeof eventId === 'string') found.eventIds.set(eventId, (found.eventIds.get(eventId) ?? 0) + 1)
    }
    if (performance.now() > deadline || ([...ids].every((id) => found.ids.has(id)) && eventIds.every((id) => found.eventIds.has(id)))) return found
    await sleep(500)
  }
}

/** Returns the resident memory; 0 if the system does not tell. */
function memoryMiB (pid: number | undefined): number {
  const status = `/proc/${pid ?? 0}/status`
  return existsSync(status) ? Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(status, 'utf8'))?.[1] ?? 0) / 1024) : 0
}

/** Returns the number of a process's sockets; 0 if the system does not tell. */
function openSockets (pid: number | undefined): number {
  const folder = `/proc/${pid ?? 0}/fd`
  if (!existsSync(folder)) return 0
  return readdirSync(folder).filter((name) => {
    try {
      return readlinkSync(join(folder, name)).startsWith('socket:')
    } catch {
      // Closed since the folder was read.
      return false
    }
  }).length
}

async function settledSockets (pid: number | undefined, before: number): Promise<number> {
  for (const deadline = performance.now() + 120_000; openSockets(pid) > before && performance.now() < deadline;) await sleep(100)
  return openSockets(pid)
}
