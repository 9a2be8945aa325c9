import type { EndedCommit } from '../delivery/observation.js'
import { createReading } from './reading.js'

export interface ReadinessOptions {
  readonly isStopping: () => boolean
  readonly journal: {
    readonly isOpen: () => boolean
    /** Why the last try to open it or to commit failed; `undefined` where it did not. */
    readonly trouble: () => string | undefined
    /** What a commit that takes long is known to wait for; `undefined` where it is the disk, as far as can be told. */
    readonly waitsFor: () => string | undefined
    /** Really commits something; resolves with why that can't be. */
    readonly probe: () => Promise<string | undefined>
  }
  readonly freeBytes: () => Promise<number | undefined>
  /** The least that has to be free; 0: it is not looked at. */
  readonly floorBytes: number
  readonly monotonic: () => number
  /** How long a commit tells that the next will be one too, in milliseconds. */
  readonly freshMs?: number
  /** How long a probe may take, in milliseconds. */
  readonly limitMs?: number
}

export interface Readiness {
  readonly committed: (commit: EndedCommit) => void
  /** Why no webhook should be sent here now; empty where one may. */
  readonly reasons: () => Promise<readonly string[]>
}

/** However often it is asked, a disk that fails is not tried more often than this, in milliseconds. */
const PROBE_EVERY_MS = 1000

/** Tells whether a webhook would be accepted now: by the last commits, or else by one that is made in order to know. */
export function createReadiness (options: ReadinessOptions): Readiness {
  const { journal, floorBytes, monotonic, freshMs = 5000, limitMs = 2000 } = options
  let committedAt = -Infinity
  let failedAt = -Infinity

  const probe = createReading({
    monotonic,
    limitMs,
    freshMs: PROBE_EVERY_MS,
    async read () {
      const why = await journal.probe()
      if (why === undefined) committedAt = monotonic()
      return { why }
    }
  })

  async function ofJournal (): Promise<readonly string[]> {
    if (!journal.isOpen()) return [`journal not open: ${journal.trouble() ?? 'it is being opened'}`]
    if (committedAt > failedAt && monotonic() - committedAt < freshMs) return []
    const probed = await probe()
    if (probed === undefined) return [`journal cannot commit: ${journal.waitsFor() ?? 'the disk does not answer'}`]
    return probed.why === undefined ? [] : [`journal cannot commit: ${probed.why}`]
  }

  async function ofDisk (): Promise<readonly string[]> {
    if (floorBytes === 0) return []
    const free = await options.freeBytes()
    // What can't be told is no reason: whether the disk takes anything, the journal knows.
    return free === undefined || free >= floorBytes ? [] : [`disk space below DISK_FREE_MIN_BYTES: ${free} bytes free, ${floorBytes} wanted`]
  }

  return {
    committed ({ error, progressError }) {
      if (error !== undefined) failedAt = monotonic()
      else if (progressError === undefined) committedAt = monotonic()
    },
    async reasons () {
      if (options.isStopping()) return ['stopping']
      return (await Promise.all([ofJournal(), ofDisk()])).flat()
    }
  }
}
