import { readdirSync, readFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { postEvent, startServiceProcess, type ServiceProcess } from './service-process.js'

const CONNECTIONS = 16

export interface CrashRoundsOptions {
  readonly dataDir: string
  readonly rounds: number
  readonly seed: number
  /** When to stop early, in milliseconds from the start. */
  readonly forMs?: number
  readonly onRound?: (round: number, facts: CrashFacts) => void
}

export interface CrashFacts {
  readonly rounds: number
  readonly acknowledged: number
  readonly duplicates: number
  readonly unanswered: number
  readonly refused: number
  /** Event ids that break the promise. All of these must be empty. */
  readonly lost: readonly string[]
  readonly twice: readonly string[]
  readonly refusedAndStored: readonly string[]
  readonly torn: number
}

/** Makes a small generator of numbers from 0 to 1. The same seed gives the same numbers (mulberry32). */
export function seeded (seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6D2B79F5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/**
 * Sends signed events over 16 connections, kills the service at a random moment, and starts it again, over and over. Like Voucherify, the
 * sender repeats events that were not answered, and sometimes others.
 */
export async function crashRounds ({ dataDir, rounds, seed, forMs = Infinity, onRound }: CrashRoundsOptions): Promise<CrashFacts> {
  const random = seeded(seed)
  const environment = { FILE_FORWARDER_ROTATE_BYTES: '60000' }
  const acknowledged = new Set<string>()
  const refused = new Set<string>()
  const unanswered: string[] = []
  let duplicates = 0
  let unansweredCount = 0
  let lastEvent = 0
  const until = performance.now() + forMs
  let round = 0

  async function send (service: ServiceProcess, agent: Agent, stopped: () => boolean): Promise<void> {
    while (!stopped()) {
      const known = random() < 0.05 ? [...acknowledged].at(-1) : undefined
      const eventId = known ?? unanswered.shift() ?? `ev_${seed}_${++lastEvent}`
      try {
        const { status, body } = await postEvent(service.url, eventId, agent)
        if (status === 200) duplicates++
        if (status === 200 || status === 202) {
          acknowledged.add(eventId)
          refused.delete(eventId)
        } else if (status === 503) {
          if (!acknowledged.has(eventId)) refused.add(eventId)
        } else throw new Error(`answered ${status}: ${body}`)
      } catch (error) {
        if (!stopped() && service.child.exitCode === null && service.child.signalCode === null && !(error as NodeJS.ErrnoException).code?.startsWith('ECONN')) throw error
        // Killed before it answered, so the event may be stored or not. The sender sends it again.
        unansweredCount++
        refused.delete(eventId)
        if (!acknowledged.has(eventId)) unanswered.push(eventId)
        return
      }
    }
  }

  for (; round < rounds && performance.now() < until; round++) {
    const service = await startServiceProcess(dataDir, environment)
    const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
    let stopped = false
    const senders = Array.from({ length: CONNECTIONS }, async () => { await send(service, agent, () => stopped) })
    await sleep(30 + random() * 270)
    stopped = random() < 0.2
    await service.kill('SIGKILL')
    stopped = true
    await Promise.all(senders)
    agent.destroy()
    onRound?.(round + 1, facts())
  }

  const service = await startServiceProcess(dataDir, environment)
  for (const eventId of unanswered.splice(0)) {
    const { status } = await postEvent(service.url, eventId)
    if (status === 200 || status === 202) acknowledged.add(eventId)
  }
  await allForwarded(service, dataDir, acknowledged)
  await service.kill('SIGTERM')
  return facts(readLines(dataDir))

  function facts (lines?: { ids: readonly string[], torn: number }): CrashFacts {
    const counts = new Map<string, number>()
    for (const id of lines?.ids ?? []) counts.set(id, (counts.get(id) ?? 0) + 1)
    return {
      rounds: round,
      acknowledged: acknowledged.size,
      duplicates,
      unanswered: unansweredCount,
      refused: refused.size,
      lost: lines === undefined ? [] : [...acknowledged].filter((id) => !counts.has(id)),
      twice: [...counts].filter(([, count]) => count > 1).map(([id]) => id),
      refusedAndStored: [...refused].filter((id) => counts.has(id)),
      torn: lines?.torn ?? 0
    }
  }
}

async function allForwarded (service: ServiceProcess, dataDir: string, acknowledged: ReadonlySet<string>): Promise<void> {
  for (const deadline = performance.now() + 120_000; performance.now() < deadline;) {
    const there = new Set(readLines(dataDir).ids)
    if ([...acknowledged].every((id) => there.has(id))) return
    await sleep(100)
    if (service.child.exitCode !== null) throw new Error(`it ended: ${service.log()}`)
  }
}

/**
 * Returns the event ids of all lines in the file forwarder's files, in order, and the number of incomplete lines. A rotation in between changes a
 * file's name, so all files are read again then.
 */
export function readLines (dataDir: string, name = 'events.ndjson'): { readonly ids: readonly string[], readonly torn: number } {
  const files = eventFiles(dataDir, name)
  const texts = files.map((file) => readIfThere(join(dataDir, file)))
  if (eventFiles(dataDir, name).join() !== files.join()) return readLines(dataDir, name)
  const ids: string[] = []
  let torn = 0
  for (const text of texts) {
    if (text !== '' && !text.endsWith('\n')) torn++
    for (const line of text.split('\n').filter((line) => line !== '')) {
      try {
        ids.push(JSON.parse(line).eventId)
      } catch {
        // A line that is not JSON is torn.
        torn++
      }
    }
  }
  return { ids, torn }
}

/** Returns the rotated files, oldest first, and then the current file. */
function eventFiles (dataDir: string, name: string): readonly string[] {
  return readdirSync(dataDir).filter((file) => new RegExp(`^${name}\\.\\d{8}T`).test(file)).sort().concat(name)
}

function readIfThere (path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    throw error
  }
}
