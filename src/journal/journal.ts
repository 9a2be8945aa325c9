import type { Logger } from 'pino'
import type { Clock } from '../delivery/clock.js'
import type { Journal } from '../delivery/journal.js'
import type { EndedCommit } from '../delivery/observation.js'
import { createSteadyClock } from '../delivery/steady-clock.js'
import { isLocked, storageCause, storageFields, storageReason } from '../errors/storage-cause.js'
import type { AcceptEngine } from './engine.js'
import { createGroupCommit } from './group-commit.js'
import { startUpkeep, type Retention } from './upkeep.js'
import { pause } from '../delivery/within.js'

export interface AcceptJournalOptions {
  readonly engine: AcceptEngine
  readonly logger: Logger
  readonly clock: Clock
  readonly dedupeWindowMs: number
  readonly retention: Retention
  /** Called with the number of quarantined deliveries evicted because the quarantine's share of the store was full. */
  readonly onEvicted?: ((count: number) => void) | undefined
  /** How long an append may take before it is refused, in milliseconds. */
  readonly storeTimeoutMs?: number | undefined
  readonly onCommit?: ((commit: EndedCommit) => void) | undefined
}

/** The journal as the accepting side sees it. */
export interface AcceptJournal extends Pick<Journal, 'append' | 'close'> {
  /**
   * Resolves when the journal is open, or when the store cannot be opened for a reason that may pass by itself. Then appends are refused,
   * and opening is tried again until it succeeds.
   * @throws the engine's explanation of any other error: an operator must change something first
   */
  readonly start: () => Promise<void>
  readonly isOpen: () => boolean
  /** Why the last try to open, commit or probe failed; `undefined` if it succeeded. */
  readonly trouble: () => string | undefined
  /** The same, if another program's lock is the reason: then a slow commit or probe waits for that lock, and not for the disk. */
  readonly waitsFor: () => string | undefined
  /** Commits and syncs a write. Resolves with the reason if that fails, otherwise with `undefined`. Takes as long as the disk takes. */
  readonly probe: () => Promise<string | undefined>
  /** Whether this process, of all that share the store, prunes and raises alarms. */
  readonly leadsUpkeep: () => boolean
}

/** The sender waits 10 s. tierhook answers within 5 s, and needs `WITHDRAW_TIMEOUT_MS` on top to record a refusal. */
const STORE_TIMEOUT_MS = 4000
const WITHDRAW_TIMEOUT_MS = 500
/** How long closing waits for a disk that does not answer, in milliseconds: first for the commits, then for the engine. */
const CLOSE_TIMEOUT_MS = 1500
/** How soon opening is tried again after a failure, in milliseconds. */
const REOPEN_MS = 1000

/** Creates the accepting side of the journal, over any engine. */
export function createAcceptJournal (options: AcceptJournalOptions): AcceptJournal {
  const { engine, logger, clock, dedupeWindowMs, retention } = options
  const stop = new AbortController()
  let closing: Promise<void> | undefined
  let failure: string | undefined
  let trouble: unknown
  let opened = false
  let available = false
  const groupCommit = createGroupCommit({
    engine,
    onDefect: defect,
    locked: () => isLocked(trouble) ? trouble : undefined,
    monotonic: clock.monotonic,
    storeTimeoutMs: options.storeTimeoutMs ?? STORE_TIMEOUT_MS,
    withdrawTimeoutMs: WITHDRAW_TIMEOUT_MS
  })
  const leadsUpkeep = engine.leadsUpkeep ?? (() => true)
  engine.listen({ onCommit: committed, onUnavailable: setUnavailable, onAvailable: setAvailable, onDefect: defect }, stop.signal)

  function setUnavailable (error: unknown): void {
    available = false
    trouble = error
    groupCommit.setUnavailable(error)
  }

  function setAvailable (): void {
    available = true
    trouble = undefined
    groupCommit.open()
  }

  function defect (error: unknown): void {
    logger.fatal({ err: error }, 'journal failed')
  }

  /** Logs one line when commits begin to fail, one when the reason changes, and one when they succeed again, however many tries fail. */
  function committed (facts: EndedCommit): void {
    trouble = facts.error
    const error = facts.error ?? facts.progressError
    const now = facts.error !== undefined ? 'journal cannot commit' : 'journal cannot store progress'
    const told = error === undefined ? undefined : `${now}: ${storageReason(error)}`
    if (told !== undefined && told !== failure) logger.error({ err: error, ...storageFields(error) }, now)
    if (told === undefined && failure !== undefined) logger.info('journal commits again')
    failure = told
    options.onCommit?.(facts)
  }

  async function open (): Promise<void> {
    const { lastReceivedAt } = await engine.open()
    opened = true
    setAvailable()
    startUpkeep({
      now: clock.now,
      isClockSteady: createSteadyClock({
        clock,
        lastReceivedAt,
        onStep: (byMs) => { logger.warn({ byMs: Math.round(byMs) }, 'clock set: nothing is deleted by its age for a day') }
      }),
      logger,
      dedupeWindowMs,
      retention,
      onEvicted: options.onEvicted,
      signal: stop.signal,
      leads: leadsUpkeep,
      prune: engine.prune
    })
  }

  async function openLater (): Promise<void> {
    while (!opened && !stop.signal.aborted) {
      await pause(REOPEN_MS, stop.signal)
      if (stop.signal.aborted) return
      try {
        await open()
        logger.info('journal open')
      } catch (error) {
        const before = storageReason(trouble)
        setUnavailable(error)
        // The service runs already, so it also waits for an error that an operator must mend.
        if (storageReason(error) === before) continue
        if (storageCause(error) === undefined) defect(error)
        else logger.error({ err: error, ...storageFields(error) }, 'journal cannot open')
      }
    }
  }

  return {
    async start () {
      try {
        await open()
      } catch (error) {
        if (storageCause(error)?.atStart !== 'wait') throw engine.explain(error)
        logger.error({ err: error, ...storageFields(error) }, 'journal cannot open')
        setUnavailable(error)
        openLater().catch(defect)
      }
    },

    isOpen: () => opened,
    trouble: () => trouble === undefined ? undefined : storageReason(trouble),
    waitsFor: () => isLocked(trouble) ? storageReason(trouble) : undefined,

    async probe () {
      if (!available) return trouble === undefined ? 'it is being opened' : storageReason(trouble)
      try {
        await engine.probe()
        trouble = undefined
        return undefined
      } catch (error) {
        trouble = error
        return storageReason(error)
      }
    },

    leadsUpkeep,
    append: groupCommit.append,

    async close () {
      closing ??= (async () => {
        stop.abort()
        await groupCommit.close(CLOSE_TIMEOUT_MS)
        if (!await engine.close(CLOSE_TIMEOUT_MS)) logger.error('journal closed while the disk does not answer')
      })()
      await closing
    }
  }
}
