import type { NewDelivery } from '../delivery/delivery.js'
import type { Appended } from '../delivery/journal.js'
import { within } from '../delivery/within.js'
import type { Problem } from '../errors/problem.js'
import type { AcceptEngine, AppendResult } from './engine.js'
import { notStored, refusal } from './refusal.js'
import { createWithdrawing } from './withdrawing.js'

/** With this many queued appends, the first are sent at once instead of at the end of the event loop's turn. */
export const EARLY_APPENDS = 24
/** The most deliveries in one message to the store. */
const MESSAGE_DELIVERIES = 512
/** Limits of the appends that are queued or sent to the store: deliveries, and bytes of their bodies. Above them, appends are refused. */
const LIMIT_DELIVERIES = 10_000
const LIMIT_BYTES = 64 * 1024 * 1024
const STOPPING = 'tierhook is stopping.'
const TOO_LATE = 'The webhook could not be stored in time.'

export interface GroupCommitOptions {
  readonly engine: Pick<AcceptEngine, 'append' | 'appendsAtOnce' | 'mayBeStored' | 'withdraw' | 'recordWithdrawals' | 'clearWithdrawals' | 'setVisible'>
  /** Called with errors that can only be defects of tierhook. */
  readonly onDefect: (error: unknown) => void
  /** The error of the last commit, if another program's lock caused it; otherwise `undefined`. */
  readonly locked: () => unknown
  readonly monotonic: () => number
  /** How long an append may take before it is refused, in milliseconds. */
  readonly storeTimeoutMs: number
  /** How long a refusal may then wait until it is recorded, in milliseconds. */
  readonly withdrawTimeoutMs: number
}

export interface GroupCommit {
  readonly append: (delivery: NewDelivery) => Promise<Appended>
  /** Refuses new appends, with this error as the reason, and sends nothing to the store until `open`. */
  readonly setUnavailable: (error: unknown) => void
  /** Sends appends to the store from now on. Appends made before the first call wait for it. */
  readonly open: () => void
  /** Waits at most `timeoutMs` for appends in progress, and refuses those that are not on disk by then. Idempotent. */
  readonly close: (timeoutMs: number) => Promise<void>
}

interface PendingAppend {
  readonly delivery: NewDelivery
  /** Monotonic time. */
  readonly arrivedAt: number
  readonly resolve: (appended: Appended) => void
  readonly reject: (error: Error) => void
  /** Whether it was refused. */
  abandoned: boolean
}

interface Message {
  readonly appends: readonly PendingAppend[]
  readonly sentAt: number
}

/**
 * Sends appends to the store, which commits those that arrive in time together, and keeps their deadlines. An append that is not on
 * disk in time is refused and withdrawn. It is then not stored, even if its commit succeeds later.
 */
export function createGroupCommit (options: GroupCommitOptions): GroupCommit {
  const { engine, monotonic, storeTimeoutMs, withdrawTimeoutMs, onDefect } = options
  let queue: PendingAppend[] = []
  /** Messages that the store has not answered, in the order in which they were sent. */
  let sent: Message[] = []
  const withdrawing = createWithdrawing({ engine, isOpen: () => isOpen, onTried: withdrawalTried, onDefect })
  let count = 0
  let bytes = 0
  let lastStored = 0
  let unavailable: unknown
  let isOpen = false
  let closing: Promise<void> | undefined
  let scheduled: NodeJS.Immediate | undefined
  let deadlineTimer: NodeJS.Timeout | undefined
  let onIdle: (() => void) | undefined

  /**
   * Sends at the end of the event loop's turn, so that all appends of one turn go together. If there are many, the first go while the
   * others are still being received.
   */
  function schedule (): void {
    if (!isOpen) return
    scheduled ??= setImmediate(send)
    if (queue.length >= EARLY_APPENDS && sent.length === 0 && engine.appendsAtOnce > 1) send()
  }

  function send (): void {
    clearImmediate(scheduled)
    scheduled = undefined
    while (isOpen && queue.length > 0 && sent.length < engine.appendsAtOnce) {
      const appends = queue.slice(0, MESSAGE_DELIVERIES)
      queue = queue.slice(MESSAGE_DELIVERIES)
      sendMessage({ appends, sentAt: monotonic() }).catch(onDefect)
    }
  }

  async function sendMessage (message: Message): Promise<void> {
    const { appends } = message
    sent.push(message)
    const waitedMs = message.sentAt - (appends[0]?.arrivedAt ?? message.sentAt)
    const results = await engine.append(appends.map(({ delivery }) => delivery), storeTimeoutMs - waitedMs).catch((error: unknown) => ({ error }))
    sent = sent.filter((each) => each !== message)
    count -= appends.length
    for (const { delivery } of appends) bytes -= delivery.rawBody.byteLength
    if ('error' in results) {
      const { error } = results
      const unsure = engine.mayBeStored(error)
      refuse(appends, notStored(error), unsure ? 'committing' : 'queued')
      if (unsure) withdraw(appends)
    } else {
      lastStored = results.findLast((result) => typeof result === 'number') ?? lastStored
      appends.forEach((pending, index) => { answer(pending, results[index]) })
    }
    publishVisible()
    // Appends that had to wait for this message go together with all that arrive in this turn.
    if (queue.length > 0) scheduled ??= setImmediate(send)
    notifyIdle('error' in results)
  }

  function answer (pending: PendingAppend, result: AppendResult | undefined): void {
    if (pending.abandoned || result === undefined) return
    const { delivery, resolve, reject } = pending
    if (typeof result === 'number') resolve({ status: 'stored', id: delivery.id, verdict: delivery.verdict })
    // The delivery that is stored was refused and is being withdrawn, so its duplicate must not be answered as stored.
    else if (withdrawing.has(result.id)) reject(refusal(TOO_LATE))
    else resolve({ status: 'duplicate', id: result.id, verdict: result.verdict })
  }

  function withdraw (appends: readonly PendingAppend[]): void {
    withdrawing.add(appends.map(({ delivery }) => delivery.id))
  }

  function withdrawalTried (done: boolean): void {
    if (done) {
      // Appends refused during shutdown are only recorded, and the next start removes them: keep the record.
      if (closing === undefined) engine.clearWithdrawals()
      publishVisible()
    }
    notifyIdle(!done)
  }

  function publishVisible (): void {
    if (withdrawing.size() === 0) engine.setVisible(lastStored)
  }

  function notifyIdle (failed: boolean): void {
    if (failed || !isBusy()) onIdle?.()
  }

  function isBusy (): boolean {
    return count + withdrawing.size() > 0
  }

  /** Refuses the appends that are not refused yet. `committing`: the store may be writing them, so the refusal is recorded before it is answered. */
  function refuse (appends: readonly PendingAppend[], problem: Error, state: 'queued' | 'committing'): void {
    const waiting = appends.filter(({ abandoned }) => !abandoned)
    if (waiting.length === 0) return
    for (const pending of waiting) pending.abandoned = true
    const recorded = state === 'committing' ? recordInTime(waiting.map(({ delivery }) => delivery.id)) : Promise.resolve()
    recorded.then(() => { for (const { reject } of waiting) reject(problem) }).catch(onDefect)
  }

  /** Records the refusals, but waits only `withdrawTimeoutMs`: a disk that hangs must not delay the answer. */
  async function recordInTime (ids: readonly string[]): Promise<void> {
    await within(withdrawTimeoutMs, engine.recordWithdrawals(ids))
  }

  function takeQueued (isTaken: (pending: PendingAppend) => boolean): readonly PendingAppend[] {
    const taken = queue.filter(isTaken)
    queue = queue.filter((pending) => !isTaken(pending))
    count -= taken.length
    for (const { delivery } of taken) bytes -= delivery.rawBody.byteLength
    return taken
  }

  function allSent (): readonly PendingAppend[] {
    return sent.flatMap(({ appends }) => appends)
  }

  function armDeadline (): void {
    if (deadlineTimer !== undefined) return
    const oldest = sent.map(({ appends }) => appends.find(({ abandoned }) => !abandoned)).find((pending) => pending !== undefined) ?? queue[0]
    if (oldest === undefined) return
    deadlineTimer = setTimeout(() => {
      deadlineTimer = undefined
      const latest = monotonic() - storeTimeoutMs
      const tooLate = unlessLocked(TOO_LATE)
      refuse(takeQueued(({ arrivedAt }) => arrivedAt <= latest), tooLate, 'queued')
      const late = allSent().filter(({ arrivedAt }) => arrivedAt <= latest)
      refuse(late, tooLate, 'committing')
      withdraw(late)
      armDeadline()
    }, Math.max(0, oldest.arrivedAt + storeTimeoutMs - monotonic()))
  }

  /** The refusal of an append that took too long. If another program holds a lock, the refusal names it. */
  function unlessLocked (detail: string): Problem {
    const locked = options.locked()
    return locked === undefined ? refusal(detail) : notStored(locked)
  }

  /** Why no append can be accepted now; `undefined` if none is known to fail. */
  function obstacle (): Error | undefined {
    if (closing !== undefined) return refusal(STOPPING)
    if (unavailable !== undefined) return notStored(unavailable)
    if (sent[0] !== undefined && monotonic() - sent[0].sentAt > storeTimeoutMs) return unlessLocked('The webhook cannot be stored: the disk does not answer.')
    if (count >= LIMIT_DELIVERIES || bytes >= LIMIT_BYTES) return refusal('Too many webhooks wait to be stored.')
    return undefined
  }

  async function finish (timeoutMs: number): Promise<void> {
    if (isOpen && isBusy()) {
      await within(timeoutMs, new Promise<void>((resolve) => {
        onIdle = resolve
        send()
      }))
    }
    isOpen = false
    clearTimeout(deadlineTimer)
    withdrawing.end()
    refuse(takeQueued(() => true), refusal(STOPPING), 'queued')
    // If these still reach the disk, the next start removes them.
    refuse(allSent(), refusal(STOPPING), 'committing')
  }

  return {
    append (delivery) {
      const refused = obstacle()
      if (refused !== undefined) return Promise.reject(refused)
      return new Promise((resolve, reject) => {
        count++
        bytes += delivery.rawBody.byteLength
        queue.push({ delivery, arrivedAt: monotonic(), resolve, reject, abandoned: false })
        schedule()
        armDeadline()
      })
    },

    setUnavailable (error) {
      unavailable = error
      isOpen = false
    },

    open () {
      isOpen = true
      unavailable = undefined
      if (queue.length > 0) schedule()
      withdrawing.send()
    },

    async close (timeoutMs) {
      closing ??= finish(timeoutMs)
      await closing
    }
  }
}
