import type { Appended } from '../../delivery/journal.js'
import type { NewDelivery } from '../../delivery/delivery.js'
import { Problem } from '../../errors.js'
import type { FeedCommit } from '../feed.js'
import type { AppendResult, Batch } from './protocol.js'

/** The most deliveries, and bytes of bodies, in one commit. */
const BATCH_DELIVERIES = 512
const BATCH_BYTES = 8 * 1024 * 1024
/** The most that may queue for a commit, in deliveries and in bytes of bodies. */
const QUEUE_DELIVERIES = 10_000
const QUEUE_BYTES = 64 * 1024 * 1024
/** How soon a commit that failed is tried again when no webhook asks for one, in milliseconds. */
const RETRY_MS = 500
/** How long progress may wait for company before it gets a commit of its own, in milliseconds. */
const PROGRESS_DELAY_MS = 20
/** What a refused sender is told to wait, in seconds. */
const RETRY_AFTER_S = 10

export interface GroupCommitOptions {
  readonly commit: (batch: Batch) => Promise<readonly AppendResult[]>
  /** Writes down the ids of deliveries that may be on their way to the disk, before they are refused. Must not fail. */
  readonly recordWithdrawals: (ids: readonly string[]) => Promise<void>
  /** Must not fail. */
  readonly clearWithdrawals: () => Promise<void>
  /** Deliveries that are on disk to stay, in order. */
  readonly onStored: (stored: ReadonlyArray<{ readonly sequence: number, readonly delivery: NewDelivery }>) => void
  /** Nothing up to this sequence will be withdrawn any more: it may be read. */
  readonly onVisible: (sequence: number) => void
  /** Told of what can only be a defect of ours. */
  readonly onDefect: (error: unknown) => void
  readonly onCommit: (facts: CommitFacts) => void
  readonly monotonic: () => number
  /** How long an append may take before it is refused, in milliseconds. */
  readonly storeTimeoutMs: number
  /** How much of that may go into writing down what is refused, in milliseconds. */
  readonly withdrawTimeoutMs: number
}

export interface CommitFacts {
  readonly deliveries: number
  readonly ms: number
  readonly error?: unknown
}

export interface GroupCommit {
  readonly append: (delivery: NewDelivery) => Promise<Appended>
  /** Resolves when it is on disk, however long that takes; rejects only when closed before. */
  readonly save: (progress: FeedCommit) => Promise<void>
  readonly setAside: (sequences: readonly number[]) => void
  /** Refuses what comes, with this as the reason, until `open`. */
  readonly setUnavailable: (error: unknown) => void
  /** Lets commits begin. What comes before waits for it. */
  readonly open: () => void
  readonly close: () => Promise<void>
}

interface Pending {
  readonly delivery: NewDelivery
  readonly arrivedAt: number
  readonly resolve: (appended: Appended) => void
  readonly reject: (error: Error) => void
  /** Whether it was refused while its commit was under way. */
  abandoned: boolean
}

interface PendingProgress {
  readonly progress: FeedCommit
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/**
 * Lets everything that arrives during one commit share the next, and nobody wait for company. An append that is not on
 * disk in time is refused, and then it is not stored: not now, and not by a commit that comes through late.
 */
export function createGroupCommit (options: GroupCommitOptions): GroupCommit {
  const { monotonic, storeTimeoutMs } = options
  let queue: Pending[] = []
  let queueBytes = 0
  let progress: PendingProgress[] = []
  let damaged: number[] = []
  let withdraw: string[] = []
  let inFlight: { readonly appends: readonly Pending[], readonly startedAt: number } | undefined
  let lastStored = 0
  let unavailable: unknown
  let isOpen = false
  let closed = false
  let scheduled: NodeJS.Immediate | undefined
  let deadlineTimer: NodeJS.Timeout | undefined
  let retryTimer: NodeJS.Timeout | undefined
  let idle: (() => void) | undefined

  function refusal (detail: string, cause?: unknown): Problem {
    return new Problem('JOURNAL_UNAVAILABLE', { detail, headers: { 'retry-after': String(RETRY_AFTER_S) }, cause })
  }

  /** What arrives in the same turn of the event loop is together without having waited. */
  function schedule (): void {
    if (scheduled !== undefined || inFlight !== undefined || !isOpen) return
    scheduled = setImmediate(() => {
      scheduled = undefined
      run().catch(options.onDefect)
    })
  }

  function scheduleLater (delayMs: number): void {
    if (retryTimer !== undefined || inFlight !== undefined || scheduled !== undefined || !isOpen) return
    retryTimer = setTimeout(() => {
      retryTimer = undefined
      schedule()
    }, delayMs)
  }

  function takeBatch (): Pending[] {
    let bytes = 0
    let end = 0
    while (end < queue.length && end < BATCH_DELIVERIES) {
      bytes += queue[end]?.delivery.rawBody.byteLength ?? 0
      if (end > 0 && bytes > BATCH_BYTES) break
      end++
    }
    const batch = queue.slice(0, end)
    queue = queue.slice(end)
    for (const { delivery } of batch) queueBytes -= delivery.rawBody.byteLength
    return batch
  }

  async function run (): Promise<void> {
    if (inFlight !== undefined) return
    const appends = takeBatch()
    const saves = progress
    const asides = damaged
    const withdrawn = withdraw
    if (appends.length + saves.length + asides.length + withdrawn.length === 0) return finishRun()
    progress = []
    damaged = []
    withdraw = []
    const startedAt = monotonic()
    inFlight = { appends, startedAt }
    let failure: { readonly error: unknown } | undefined
    try {
      const results = await options.commit({
        withdraw: withdrawn, setAside: asides, progress: saves.map((save) => save.progress), appends: appends.map(({ delivery }) => delivery)
      })
      inFlight = undefined
      settleAppends(appends, results)
      for (const save of saves) save.resolve()
      if (withdraw.length === 0) options.onVisible(lastStored)
      if (withdrawn.length > 0 && withdraw.length === 0) await options.clearWithdrawals()
    } catch (error) {
      inFlight = undefined
      failure = { error }
      progress = [...saves, ...progress]
      damaged = [...asides, ...damaged]
      withdraw = [...withdrawn, ...withdraw]
      await refuseFailed(appends, error)
    }
    options.onCommit({ deliveries: appends.length, ms: monotonic() - startedAt, ...failure })
    finishRun(failure !== undefined)
  }

  function finishRun (failed = false): void {
    const urgent = queue.length + withdraw.length > 0
    const rest = progress.length + damaged.length > 0
    if (closed && (failed || !(urgent || rest))) idle?.()
    else if (failed) scheduleLater(RETRY_MS)
    else if (urgent || closed) schedule()
    else if (rest) scheduleLater(PROGRESS_DELAY_MS)
  }

  function settleAppends (appends: readonly Pending[], results: readonly AppendResult[]): void {
    const gone = new Set<string>()
    const stored: Array<{ sequence: number, delivery: NewDelivery }> = []
    appends.forEach((pending, index) => {
      const result = results[index]
      if (result?.status !== 'stored') return
      lastStored = result.sequence
      if (pending.abandoned) gone.add(pending.delivery.id)
      else stored.push({ sequence: result.sequence, delivery: pending.delivery })
    })
    withdraw.push(...gone)
    options.onStored(stored)
    appends.forEach((pending, index) => {
      const result = results[index]
      if (pending.abandoned || result === undefined) return
      if (result.status === 'stored') pending.resolve({ status: 'stored', id: pending.delivery.id, verdict: pending.delivery.verdict })
      // The first of the two was refused and goes: a copy of it must not be answered as held.
      else if (gone.has(result.id)) pending.reject(refusal('The webhook could not be stored in time.'))
      else pending.resolve({ status: 'duplicate', id: result.id, verdict: result.verdict })
    })
  }

  async function refuseFailed (appends: readonly Pending[], error: unknown): Promise<void> {
    const waiting = appends.filter((pending) => !pending.abandoned)
    const ids = appends.map(({ delivery }) => delivery.id)
    for (const pending of waiting) pending.abandoned = true
    if (mayBeOnDisk(error)) {
      withdraw.push(...ids)
      await recordInTime(waiting.map(({ delivery }) => delivery.id))
    }
    for (const pending of waiting) pending.reject(refusal(`The webhook cannot be stored: ${reasonOf(error)}.`, error))
  }

  /** A disk that does not answer may not take this either: the refusal is given in time all the same. */
  async function recordInTime (ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return
    let timer: NodeJS.Timeout | undefined
    const timeout = new Promise<void>((resolve) => { timer = setTimeout(resolve, options.withdrawTimeoutMs) })
    await Promise.race([options.recordWithdrawals(ids), timeout])
    clearTimeout(timer)
  }

  function armDeadline (): void {
    const oldest = inFlight?.appends.find((pending) => !pending.abandoned) ?? queue[0]
    if (oldest === undefined || deadlineTimer !== undefined) return
    deadlineTimer = setTimeout(() => {
      deadlineTimer = undefined
      refuseLate().catch(options.onDefect)
      armDeadline()
    }, Math.max(0, oldest.arrivedAt + storeTimeoutMs - monotonic()))
  }

  async function refuseLate (): Promise<void> {
    const latest = monotonic() - storeTimeoutMs
    const late = (pending: Pending): boolean => !pending.abandoned && pending.arrivedAt <= latest
    const queued = queue.filter(late)
    if (queued.length > 0) {
      queue = queue.filter((pending) => !late(pending))
      for (const { delivery } of queued) queueBytes -= delivery.rawBody.byteLength
    }
    const committing = inFlight?.appends.filter(late) ?? []
    for (const pending of committing) pending.abandoned = true
    for (const pending of queued) pending.reject(refusal('The webhook could not be stored in time.'))
    await recordInTime(committing.map(({ delivery }) => delivery.id))
    for (const pending of committing) pending.reject(refusal('The webhook could not be stored in time.'))
  }

  return {
    append (delivery) {
      return new Promise((resolve, reject) => {
        if (closed) return reject(refusal('tierhook is stopping.'))
        if (unavailable !== undefined) return reject(refusal(`The webhook cannot be stored: ${reasonOf(unavailable)}.`, unavailable))
        if (inFlight !== undefined && monotonic() - inFlight.startedAt > storeTimeoutMs) return reject(refusal('The webhook cannot be stored: the disk does not answer.'))
        if (queue.length >= QUEUE_DELIVERIES || queueBytes >= QUEUE_BYTES) return reject(refusal('Too many webhooks wait to be stored.'))
        queue.push({ delivery, arrivedAt: monotonic(), resolve, reject, abandoned: false })
        queueBytes += delivery.rawBody.byteLength
        schedule()
        armDeadline()
      })
    },

    save (feedCommit) {
      return new Promise((resolve, reject) => {
        if (closed) return reject(refusal('tierhook is stopping.'))
        progress.push({ progress: feedCommit, resolve, reject })
        scheduleLater(PROGRESS_DELAY_MS)
      })
    },

    setAside (sequences) {
      damaged.push(...sequences)
      scheduleLater(PROGRESS_DELAY_MS)
    },

    setUnavailable (error) {
      unavailable = error
    },

    open () {
      isOpen = true
      unavailable = undefined
      if (queue.length + progress.length > 0) schedule()
    },

    async close () {
      if (closed) return
      closed = true
      clearTimeout(retryTimer)
      retryTimer = undefined
      if (isOpen && (inFlight !== undefined || queue.length + progress.length + withdraw.length + damaged.length > 0)) {
        const settled = new Promise<void>((resolve) => { idle = resolve })
        schedule()
        await settled
      }
      clearTimeout(deadlineTimer)
      for (const save of progress) save.reject(refusal('tierhook has stopped before this could be stored.'))
      for (const pending of queue) pending.reject(refusal('tierhook has stopped before this could be stored.'))
    }
  }
}

/**
 * Whether a failed commit may have left its content on the disk after all: an error of the device leaves that open, while
 * for these SQLite is sure that nothing of it was committed (https://sqlite.org/rescode.html).
 */
function mayBeOnDisk (error: unknown): boolean {
  const code = codeOf(error)
  return !['SQLITE_FULL', 'SQLITE_READONLY', 'SQLITE_BUSY', 'SQLITE_CANTOPEN', 'SQLITE_CONSTRAINT'].some((safe) => code === safe || code.startsWith(`${safe}_`))
}

function reasonOf (error: unknown): string {
  const code = codeOf(error)
  if (code === 'SQLITE_FULL') return 'the disk is full'
  if (code.startsWith('SQLITE_READONLY') || code === 'SQLITE_CANTOPEN') return 'the data folder cannot be written to'
  return 'the disk fails'
}

function codeOf (error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : ''
}
