import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readLines, seeded } from './crash-rounds.js'
import { faultKinds, isKept, makeReport, type FaultKind, type FaultReport } from './fault-report.js'
import { createFaultyDisk } from './faulty-disk.js'
import { flakyDestination, type Mood } from './flaky-destination.js'
import { startServiceProcess } from './service-process.js'
import { mountSmallDisk } from './small-disk.js'
import { startSenders } from './steady-senders.js'

export interface FaultRoundsOptions {
  /** An empty folder over which a file system may be mounted. */
  readonly folder: string
  readonly seed: number
  /** When to stop, in milliseconds from the start. */
  readonly forMs: number
  readonly onRound?: (round: number, faults: readonly string[], report: FaultReport) => void
}

const DRAIN_LIMIT_MS = 120_000
/** The disk must hold everything that is sent, so that it is full only during that fault. */
const DISK_BYTES_A_MINUTE = 128 * 1024 * 1024
const LEAST_DISK_BYTES = 256 * 1024 * 1024

/** Sends events under all kinds of faults, then ends all faults, and checks that every acknowledged event is at every forwarder. */
export async function faultRounds ({ folder, seed, forMs, onRound }: FaultRoundsOptions): Promise<FaultReport> {
  const random = seeded(seed)
  const chance = (probability: number): boolean => random() < probability
  const between = (least: number, most: number): number => least + random() * (most - least)
  const oneOf = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] ?? all[0] as T

  const smallDisk = mountSmallDisk(folder, Math.max(LEAST_DISK_BYTES, Math.ceil(forMs / 60_000) * DISK_BYTES_A_MINUTE))
  const dataDir = join(folder, 'data')
  const tools = `${folder}-tools`
  mkdirSync(dataDir, { recursive: true })
  mkdirSync(tools, { recursive: true })
  const disk = createFaultyDisk(tools, dataDir)
  const arrived = new Map<string, number>()
  const moves = new Map<string, number[]>()
  const logged = new Set<string>()
  let requests = 0
  const destination = await flakyDestination((body) => {
    requests++
    const { event, data }: { event: { id: string }, data: { customer: { id: string, metadata: { move: number } } } } = JSON.parse(body)
    arrived.set(event.id, (arrived.get(event.id) ?? 0) + 1)
    if (arrived.get(event.id) === 1) moves.set(data.customer.id, [...moves.get(data.customer.id) ?? [], data.customer.metadata.move])
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
  const counts: Record<FaultKind, number> = { kill: 0, stop: 0, 'full disk': 0, 'disk stalls': 0, 'disk fails': 0, destination: 0, clock: 0 }
  let memoryPeakMiB = 0
  let rounds = 0
  let service = await startServiceProcess(dataDir, environment)

  function readMemory (): void {
    try {
      const status = readFileSync(`/proc/${service.child.pid}/status`, 'utf8')
      memoryPeakMiB = Math.max(memoryPeakMiB, Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024)
    } catch {
      // The process has ended.
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

  async function begin (kind: FaultKind): Promise<string> {
    counts[kind]++
    switch (kind) {
      case 'full disk':
        if (smallDisk !== undefined) smallDisk.fill()
        // Without the right to mount, the disk only reports that it is full.
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
    smallDisk?.empty()
    await destination.be('well')
    senders.healed()
  }

  const report = (lines?: { readonly ids: readonly string[], readonly torn: number }, drainMs = 0): FaultReport => makeReport(
    { seed, rounds, faults: counts, mounted: smallDisk !== undefined, destinationRequests: requests, memoryPeakMiB: Math.round(memoryPeakMiB), drainMs: Math.round(drainMs) },
    senders.tally,
    { logged, arrived, moves, ...(lines === undefined ? {} : { lines }) }
  )

  /** Waits until every event is everywhere. Resolves with how long that took, in milliseconds. */
  async function drain (): Promise<number> {
    const from = performance.now()
    for (let there = false; !there && performance.now() - from < DRAIN_LIMIT_MS;) {
      await sleep(100)
      const inFile = new Set(readLines(dataDir).ids)
      there = [...senders.tally.acknowledged].every((id) => inFile.has(id) && arrived.has(id))
    }
    return performance.now() - from
  }

  const until = performance.now() + forMs
  const senders = startSenders({ url: () => service.url, chance })
  while (performance.now() < until && senders.isSending()) {
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
    rounds++
    onRound?.(rounds, faults, report())
  }
  const stopped = senders.stop()
  await heal()
  await stopped
  const drainMs = await drain()
  await end('SIGTERM')
  const final = report(readLines(dataDir), drainMs)
  await destination.close()
  // After a failure, the files are kept for inspection.
  if (isKept(final)) smallDisk?.unmount()
  rmSync(tools, { recursive: true, force: true })
  return final
}
