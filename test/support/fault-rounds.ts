import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readLines, seeded } from './crash-rounds.js'
import { createFaultyDisk } from './faulty-disk.js'
import { flakyDestination, type Mood } from './flaky-destination.js'
import { postBody, startServiceProcess } from './service-process.js'

/** What may be done to the service, each at random. */
export const faultKinds = ['kill', 'stop', 'full disk', 'disk stalls', 'disk fails', 'destination', 'clock'] as const
export type FaultKind = typeof faultKinds[number]

export interface FaultRoundsOptions {
  /** An empty folder that may be mounted over. */
  readonly folder: string
  readonly seed: number
  /** When to stop, in milliseconds from the start. */
  readonly forMs: number
  readonly onRound?: (round: number, faults: readonly string[], report: FaultReport) => void
}

export interface FaultReport {
  readonly seed: number
  readonly rounds: number
  readonly faults: Readonly<Record<FaultKind, number>>
  /** Whether the full disk was a real one. */
  readonly mounted: boolean
  readonly acknowledged: number
  readonly duplicates: number
  readonly unanswered: number
  /** Answers that said 503. */
  readonly refused: number
  readonly destinationRequests: number
  readonly memoryPeakMiB: number
  /** From the end of a fault until the next webhook was accepted, in milliseconds: median and worst. */
  readonly recoveryMs: { readonly median: number, readonly worst: number }
  /** From the end of the last fault until every forwarder had everything, in milliseconds. */
  readonly drainMs: number
  /** All of these break a promise. */
  readonly broken: {
    readonly lost: readonly string[]
    readonly twiceInFile: readonly string[]
    readonly refusedAndForwarded: readonly string[]
    readonly outOfOrder: readonly string[]
    readonly otherAnswers: readonly string[]
    readonly tornLines: number
  }
}

const SENDERS = 12
const CUSTOMERS_PER_SENDER = 3
const GIVE_UP = 0.2
const AGAIN = 0.05
const MOUNT_BYTES = 256 * 1024 * 1024
const DRAIN_LIMIT_MS = 120_000

/** Sends under everything that may go wrong, then lets all be well, and looks for every acknowledged event at every forwarder. */
export async function faultRounds ({ folder, seed, forMs, onRound }: FaultRoundsOptions): Promise<FaultReport> {
  const random = seeded(seed)
  const chance = (probability: number): boolean => random() < probability
  const between = (least: number, most: number): number => least + random() * (most - least)
  const oneOf = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] ?? all[0] as T

  const mounted = mount(folder)
  const dataDir = join(folder, 'data')
  const tools = `${folder}-tools`
  mkdirSync(dataDir, { recursive: true })
  mkdirSync(tools, { recursive: true })
  const disk = createFaultyDisk(tools, dataDir)
  const arrived = new Map<string, number>()
  const arrivals = new Map<string, number[]>()
  let requests = 0
  const destination = await flakyDestination((body) => {
    requests++
    const { event, data }: { event: { id: string }, data: { customer: { id: string, metadata: { move: number } } } } = JSON.parse(body)
    arrived.set(event.id, (arrived.get(event.id) ?? 0) + 1)
    if (arrived.get(event.id) === 1) arrivals.set(data.customer.id, [...arrivals.get(data.customer.id) ?? [], data.customer.metadata.move])
  })
  const environment = {
    ...disk.environment,
    FORWARDERS: 'log,file,http',
    HTTP_FORWARDER_URL: destination.url,
    HTTP_FORWARDER_TIMEOUT_MS: '1000',
    FILE_FORWARDER_ROTATE_BYTES: '500000',
    RETRY_MIN_MS: '50',
    RETRY_MAX_MS: '1000',
    SHUTDOWN_TIMEOUT_MS: '3000'
  }

  const acknowledged = new Set<string>()
  const refused = new Set<string>()
  const logged = new Set<string>()
  const otherAnswers: string[] = []
  const recoveries: number[] = []
  const counts: Record<FaultKind, number> = { kill: 0, stop: 0, 'full disk': 0, 'disk stalls': 0, 'disk fails': 0, destination: 0, clock: 0 }
  let duplicates = 0
  let unanswered = 0
  let refusals = 0
  let memoryPeakMiB = 0
  let healedAt: number | undefined
  let rounds = 0
  let sending = true
  let service = await startServiceProcess(dataDir, environment)

  /** One customer's moves go one after another: the next only once this one is acknowledged, or given up for good. */
  async function sendMoves (sender: number): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    for (let move = 0; sending; move++) {
      const eventId = `ev_${sender}_${move}`
      const body = bodyOf(eventId, `cust_${sender}_${move % CUSTOMERS_PER_SENDER}`, move)
      for (let certain = true; sending && !acknowledged.has(eventId);) {
        const status = await sendOnce(body, agent)
        if (status === undefined) {
          certain = false
          unanswered++
          await sleep(20)
        } else if (status === 503) {
          refusals++
          // What was never in doubt may be given up: then it must not be there.
          if (certain && chance(GIVE_UP)) {
            refused.add(eventId)
            break
          }
          await sleep(50)
        } else take(eventId, status)
      }
      if (acknowledged.has(eventId) && chance(AGAIN)) {
        const status = await sendOnce(body, agent)
        if (status === 202) otherAnswers.push(`a copy of ${eventId} was stored`)
      }
    }
    agent.destroy()
  }

  async function sendOnce (body: Buffer, agent: Agent): Promise<number | undefined> {
    try {
      return (await postBody(service.url, body, agent)).status
    } catch {
      // Killed before it answered, or not there.
      return undefined
    }
  }

  function take (eventId: string, status: number): void {
    if (status === 200) duplicates++
    if (status !== 200 && status !== 202) {
      otherAnswers.push(`${eventId} was answered ${status}`)
      sending = false
    } else {
      acknowledged.add(eventId)
      if (healedAt !== undefined) recoveries.push(performance.now() - healedAt)
      healedAt = undefined
    }
  }

  function readMemory (): void {
    try {
      const status = readFileSync(`/proc/${service.child.pid}/status`, 'utf8')
      memoryPeakMiB = Math.max(memoryPeakMiB, Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024)
    } catch {
      // It has ended.
    }
  }

  async function end (signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    readMemory()
    await service.kill(signal)
    for (const line of service.log().split('\n')) {
      if (!line.includes('"msg":"customer.loyalty.tier.upgraded"')) continue
      const eventId = /"eventId":"([^"]+)"/.exec(line)?.[1]
      if (eventId !== undefined) logged.add(eventId)
    }
  }

  const filler = join(folder, 'filler')

  async function begin (kind: FaultKind): Promise<string> {
    counts[kind]++
    switch (kind) {
      case 'full disk':
        if (mounted) fill(folder, filler)
        else disk.order('write ENOSPC 0')
        return kind
      case 'disk stalls': {
        const ms = Math.round(between(200, 7000))
        disk.order(`sync stall ${ms} once`)
        return `${kind} ${ms} ms`
      }
      case 'disk fails': {
        const order = oneOf(['write EIO 0', 'sync EIO 0', 'sync EIO 0 once'])
        disk.order(order)
        return order
      }
      case 'destination': {
        const mood = oneOf<Mood>(['failing', 'resetting', 'hanging', 'gone'])
        await destination.be(mood)
        return `destination ${mood}`
      }
      case 'clock': {
        const seconds = Math.round(between(-3600, 3600))
        disk.setClock(seconds)
        return `clock ${seconds} s`
      }
      case 'kill':
      case 'stop':
        await end(kind === 'kill' ? 'SIGKILL' : 'SIGTERM')
        service = await startServiceProcess(dataDir, environment)
        return kind
    }
  }

  async function heal (): Promise<void> {
    disk.heal()
    rmSync(filler, { force: true })
    await destination.be('well')
    healedAt = performance.now()
  }

  const until = performance.now() + forMs
  const senders = Array.from({ length: SENDERS }, async (_, sender) => { await sendMoves(sender) })
  while (performance.now() < until && sending) {
    const faults: string[] = []
    await sleep(between(50, 500))
    const count = 1 + Math.floor(random() * 3)
    for (let each = 0; each < count; each++) {
      faults.push(await begin(oneOf(faultKinds)))
      await sleep(between(50, 1000))
    }
    await heal()
    readMemory()
    await sleep(between(200, 1500))
    onRound?.(++rounds, faults, report())
  }
  sending = false
  await heal()
  await Promise.all(senders)
  const drainFrom = performance.now()
  for (let there = false; !there && performance.now() - drainFrom < DRAIN_LIMIT_MS;) {
    await sleep(100)
    const inFile = new Set(readLines(dataDir).ids)
    there = [...acknowledged].every((id) => inFile.has(id) && arrived.has(id))
  }
  const drainMs = performance.now() - drainFrom
  await end('SIGTERM')
  const { ids, torn } = readLines(dataDir)
  const final = report(ids, torn, drainMs)
  await destination.close()
  // Where something is wrong, it is left to be looked at.
  if (mounted && isKept(final)) execFileSync('umount', ['-l', folder])
  rmSync(tools, { recursive: true, force: true })
  return final

  function report (ids?: readonly string[], tornLines = 0, drainMs = 0): FaultReport {
    const lines = new Map<string, number>()
    for (const id of ids ?? []) lines.set(id, (lines.get(id) ?? 0) + 1)
    const sorted = recoveries.toSorted((a, b) => a - b)
    return {
      seed,
      rounds,
      faults: counts,
      mounted,
      acknowledged: acknowledged.size,
      duplicates,
      unanswered,
      refused: refusals,
      destinationRequests: requests,
      memoryPeakMiB: Math.round(memoryPeakMiB),
      recoveryMs: { median: Math.round(sorted[sorted.length >> 1] ?? 0), worst: Math.round(sorted.at(-1) ?? 0) },
      drainMs: Math.round(drainMs),
      broken: {
        lost: ids === undefined ? [] : [...acknowledged].flatMap((id) => [...lines.has(id) ? [] : [`${id} in the file`], ...arrived.has(id) ? [] : [`${id} at the destination`], ...logged.has(id) ? [] : [`${id} in the log`]]),
        twiceInFile: [...lines].filter(([, count]) => count > 1).map(([id]) => id),
        refusedAndForwarded: [...refused].filter((id) => lines.has(id) || arrived.has(id) || logged.has(id)),
        outOfOrder: [...arrivals].filter(([, moves]) => moves.some((move, index) => index > 0 && move < (moves[index - 1] ?? 0))).map(([customer]) => customer),
        otherAnswers,
        tornLines
      }
    }
  }
}

/** Whether nothing of a report breaks a promise. */
export function isKept ({ broken }: FaultReport): boolean {
  return Object.values(broken).every((each) => typeof each === 'number' ? each === 0 : each.length === 0)
}

function bodyOf (eventId: string, customerId: string, move: number): Buffer {
  return Buffer.from(JSON.stringify({
    id: `whs_${eventId}`,
    type: 'tier.upgraded',
    source: { id: 'distr_1', object: 'distribution' },
    event: { id: eventId, type: 'customer.loyalty.tier.upgraded', created_at: '2026-01-31T00:00:00Z' },
    data: { customer: { id: customerId, object: 'customer', metadata: { move } }, campaign: null, loyalty_tier_from: null, loyalty_tier_to: null, created_at: '2026-01-31T00:00:00Z' }
  }))
}

/** A small file system of its own, where the rights allow it, so that it can really be full. */
function mount (folder: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${MOUNT_BYTES}`, 'tmpfs', folder], { stdio: 'ignore' })
    return true
  } catch {
    // No right to mount: the disk is made to answer ENOSPC instead.
    return false
  }
}

function fill (folder: string, filler: string): void {
  const { bavail, bsize } = statfsSync(folder)
  try {
    writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize)), { flag: existsSync(filler) ? 'a' : 'w' })
  } catch {
    // Full, as it is meant to be.
  }
}
