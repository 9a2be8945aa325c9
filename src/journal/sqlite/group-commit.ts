import type { Delivery, NewDelivery } from '../../delivery/delivery.js'
import type { Appended } from '../../delivery/journal.js'
import type { EndedCommit } from '../../delivery/observation.js'
import type { FeedCommit } from '../feed-store.js'
import { createAppendQueue, type PendingAppend } from './append-queue.js'
import { mayBeOnDisk, reasonOf, refusal } from './commit-failure.js'
import type { AppendResult, Batch, BatchResult } from './protocol.js'
import { createProgressQueue, toCommit } from './progress-queue.js'
import { createRefuse, type RefuseOptions } from './refuse.js'
import { settleAppends, TOO_LATE } from './settle-appends.js'

/** How soon a commit that failed is tried again when no webhook asks for one, in milliseconds. */
const RETRY_MS = 500
/** How long progress may wait for company before it gets a commit of its own, in milliseconds. So much is forwarded again after a crash. */
const PROGRESS_DELAY_MS = 50
/** So many appends are not left to wait for what else arrives in the same turn of the event loop. */
export const EARLY_APPENDS = 24
const STOPPING = 'tierhook is stopping.'

export interface GroupCommitOptions extends RefuseOptions {
  readonly commit: (batch: Batch) => Promise<BatchResult>
  /** Writes down the ids of deliveries that may be on their way to the disk, before they are refused. Must not fail. */
  readonly recordWithdrawals: (ids: readonly string[]) => Promise<void>
  /** Must not fail, and not overtake a `recordWithdrawals`. */
  readonly clearWithdrawals: () => void
  /** Deliveries that are on disk to stay, in order. */
  readonly onStored: (stored: readonly Delivery[]) => void
  /** Nothing up to this sequence will be withdrawn any more: it may be read. */
  readonly onVisible: (sequence: number) => void
  /** Told of what can only be a defect of ours. */
  readonly onDefect: (error: unknown) => void
  readonly onCommit: (commit: EndedCommit) => void
  readonly monotonic: () => number
  /** How long an append may take before it is refused, in milliseconds. */
  readonly storeTimeoutMs: number
  /** How much of that may go into writing down what is refused, in milliseconds. */
  readonly withdrawTimeoutMs: number
}

export interface GroupCommit {
  readonly append: (delivery: NewDelivery) => Promise<Appended>
  /** Resolves when it is on disk, however long that takes; rejects only when closed before. */
  readonly save: (progress: FeedCommit) => Promise<void>
  /** Refuses what comes, with this as the reason, and begins no commit, until `open`. */
  readonly setUnavailable: (error: unknown) => void
  /** Lets commits begin. What comes before waits for it. */
  readonly open: () => void
  /** Commits what waits, for `timeoutMs` at most; what is not on disk then is refused. Idempotent. */
  readonly close: (timeoutMs: number) => Promise<void>
}

/**
 * Lets everything that arrives during one commit share the next, and nobody wait for company. An append that is not on
 * disk in time is refused, and then it is not stored: not now, and not by a commit that comes through late.
 */
export function createGroupCommit (options: GroupCommitOptions): GroupCommit {
  const { monotonic, storeTimeoutMs } = options
  const queue = createAppendQueue()
  const refuse = createRefuse(options)
  const progress = createProgressQueue()
  let withdraw: string[] = []
  let inFlight: { readonly appends: readonly PendingAppend[], readonly startedAt: number } | undefined
  let lastStored = 0
  let unavailable: unknown
  let isOpen = false
  let closing: Promise<void> | undefined
  let scheduled: NodeJS.Immediate | undefined
  let deadlineTimer: NodeJS.Timeout | undefined
  let retryTimer: NodeJS.Timeout | undefined
  let onIdle: (() => void) | undefined

  function isBusy (): boolean {
    return inFlight !== undefined || queue.length() + progress.length() + withdraw.length > 0
  }

  /** What arrives in the same turn of the event loop is together without having waited. */
  function schedule (): void {
    if (scheduled !== undefined || inFlight !== undefined || !isOpen) return
    clearTimeout(retryTimer)
    retryTimer = undefined
    scheduled = setImmediate(begin)
  }

  function begin (): void {
    clearImmediate(scheduled)
    scheduled = undefined
    run().catch(options.onDefect)
  }

  /** Of many that arrive in one turn, the first go to the disk while the others are still being read: together, they would wait for each other. */
  function scheduleAppend (): void {
    schedule()
    if (scheduled !== undefined && queue.length() >= EARLY_APPENDS) begin()
  }

  function scheduleLater (delayMs: number): void {
    if (retryTimer !== undefined || inFlight !== undefined || scheduled !== undefined || !isOpen) return
    retryTimer = setTimeout(schedule, delayMs)
  }

  async function run (): Promise<void> {
    if (!isBusy()) return finishRun(false)
    const appends = queue.takeBatch()
    const saves = progress.take()
    const withdrawn = withdraw
    withdraw = []
    const startedAt = monotonic()
    inFlight = { appends, startedAt }
    const outcome = await options.commit({ withdraw: withdrawn, progress: saves.map(toCommit), appends: appends.map(({ delivery }) => delivery) })
      .catch((error: unknown) => ({ error }))
    inFlight = undefined
    const facts = { deliveries: appends.length, ms: monotonic() - startedAt }
    if ('error' in outcome) {
      progress.putBack(saves)
      withdraw = [...withdrawn, ...withdraw]
      const unsure = mayBeOnDisk(outcome.error)
      if (unsure) withdraw.push(...appends.map(({ delivery }) => delivery.id))
      refuse(appends, refusal(`The webhook cannot be stored: ${reasonOf(outcome.error)}.`, outcome.error), unsure ? 'committing' : 'queued')
      options.onCommit({ ...facts, error: outcome.error })
    } else {
      lastStored = lastSequence(outcome.appends) ?? lastStored
      const { stored, gone } = settleAppends(appends, outcome)
      withdraw.push(...gone)
      options.onStored(stored)
      if (outcome.progressError === undefined) for (const save of saves) save.resolve()
      else progress.putBack(saves)
      if (withdraw.length === 0) options.onVisible(lastStored)
      if (withdrawn.length > 0 && withdraw.length === 0) options.clearWithdrawals()
      options.onCommit({ ...facts, ...(outcome.progressError === undefined ? {} : { progressError: outcome.progressError }) })
    }
    finishRun('error' in outcome || outcome.progressError !== undefined)
  }

  function finishRun (failed: boolean): void {
    const urgent = queue.length() + withdraw.length > 0
    if (onIdle !== undefined && (failed || !isBusy())) onIdle()
    else if (!failed && (urgent || onIdle !== undefined)) schedule()
    else if (failed && queue.length() > 0) schedule()
    else if (isBusy()) scheduleLater(failed ? RETRY_MS : PROGRESS_DELAY_MS)
  }

  function armDeadline (): void {
    const oldest = inFlight?.appends.find((pending) => !pending.abandoned) ?? queue.oldest()
    if (oldest === undefined || deadlineTimer !== undefined) return
    deadlineTimer = setTimeout(() => {
      deadlineTimer = undefined
      const latest = monotonic() - storeTimeoutMs
      refuse(queue.takeArrivedBy(latest), refusal(TOO_LATE), 'queued')
      refuse(inFlight?.appends.filter(({ arrivedAt }) => arrivedAt <= latest) ?? [], refusal(TOO_LATE), 'committing')
      armDeadline()
    }, Math.max(0, oldest.arrivedAt + storeTimeoutMs - monotonic()))
  }

  /** Why nothing can be taken now, where that is known without trying. */
  function obstacle (): Error | undefined {
    if (closing !== undefined) return refusal(STOPPING)
    if (unavailable !== undefined) return refusal(`The webhook cannot be stored: ${reasonOf(unavailable)}.`, unavailable)
    if (inFlight !== undefined && monotonic() - inFlight.startedAt > storeTimeoutMs) return refusal('The webhook cannot be stored: the disk does not answer.')
    if (queue.isFull()) return refusal('Too many webhooks wait to be stored.')
    return undefined
  }

  async function finish (timeoutMs: number): Promise<void> {
    clearTimeout(retryTimer)
    retryTimer = undefined
    if (isOpen && isBusy()) {
      let timer: NodeJS.Timeout | undefined
      await new Promise<void>((resolve) => {
        onIdle = resolve
        timer = setTimeout(resolve, timeoutMs)
        schedule()
      })
      clearTimeout(timer)
    }
    isOpen = false
    clearTimeout(deadlineTimer)
    for (const save of progress.take()) save.reject(refusal(STOPPING))
    refuse(queue.takeArrivedBy(Infinity), refusal(STOPPING), 'queued')
    refuse(inFlight?.appends ?? [], refusal(STOPPING), 'committing')
  }

  return {
    append (delivery) {
      const refused = obstacle()
      if (refused !== undefined) return Promise.reject(refused)
      return new Promise((resolve, reject) => {
        queue.push({ delivery, arrivedAt: monotonic(), resolve, reject, abandoned: false })
        scheduleAppend()
        armDeadline()
      })
    },

    save (feedCommit) {
      if (closing !== undefined) return Promise.reject(refusal(STOPPING))
      const saved = progress.add(feedCommit)
      scheduleLater(PROGRESS_DELAY_MS)
      return saved
    },

    setUnavailable (error) {
      unavailable = error
      isOpen = false
    },

    open () {
      isOpen = true
      unavailable = undefined
      if (isBusy()) schedule()
    },

    async close (timeoutMs) {
      closing ??= finish(timeoutMs)
      await closing
    }
  }
}

function lastSequence (results: readonly AppendResult[]): number | undefined {
  return results.findLast((result) => typeof result === 'number')
}
