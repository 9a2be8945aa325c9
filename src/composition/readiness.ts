import type { EndedCommit } from '../delivery/observation.js'
import { createCachedRead } from './cached-read.js'

export interface ReadinessOptions {
  readonly isStopping: () => boolean
  readonly journal: {
    readonly isOpen: () => boolean
    /** Why opening the journal, or the last commit, failed; `undefined` if it did not fail. */
    readonly trouble: () => string | undefined
    /** What a slow commit is known to wait for; `undefined` if nothing is known, so it is probably the disk. */
    readonly waitsFor: () => string | undefined
    /** Makes a real commit. Resolves to the reason if it fails. */
    readonly probe: () => Promise<string | undefined>
  }
  readonly freeBytes: () => Promise<number | undefined>
  /** The least number of bytes that must be free; 0 turns the check off. */
  readonly floorBytes: number
  readonly monotonic: () => number
  /** For how long a successful commit shows that the next one will succeed too, in milliseconds. */
  readonly freshMs?: number
  /** How long a probe may take, in milliseconds. */
  readonly limitMs?: number
}

export interface Readiness {
  readonly committed: (commit: EndedCommit) => void
  /** Why no webhook should be sent here now; empty if webhooks are accepted. */
  readonly reasons: () => Promise<readonly string[]>
}

/** The least time between two probes, in milliseconds, so that many questions do not load a failing disk. */
const PROBE_EVERY_MS = 1000

/** Tells whether a webhook would be accepted now: from the last commits, or from a probe if they are too old. */
export function createReadiness (options: ReadinessOptions): Readiness {
  const { journal, floorBytes, monotonic, freshMs = 5000, limitMs = 2000 } = options
  let committedAt = -Infinity
  let failedAt = -Infinity

  const probe = createCachedRead({
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
    // An unknown amount of free space is no reason. The journal knows whether the disk can be written to.
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
