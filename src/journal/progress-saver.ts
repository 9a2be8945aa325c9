import { within } from '../delivery/within.js'
import type { FeedCommit, ForwardEngine, RecordedAttempt } from './engine.js'
import { refusal } from './refusal.js'
import type { Change } from './schedule.js'

/** How soon saving is tried again after a failure, in milliseconds. */
const RETRY_MS = 500

export interface ProgressSaver {
  /** Resolves when the progress is on disk, however long that takes. Rejects only if closed first, or if another process leads the forwarder. */
  readonly save: (progress: FeedCommit) => Promise<void>
  /** Tries failed saves again at once, because the store is available again. */
  readonly retry: () => void
  /** Waits at most `timeoutMs` for progress that is not on disk, and rejects the rest. Idempotent. */
  readonly close: (timeoutMs: number) => Promise<void>
}

export interface ProgressSaverOptions {
  readonly save: ForwardEngine['save']
  /** Called when a save shows that another process leads the forwarder now. */
  readonly onLost: (forwarder: string, term: number) => void
  readonly onDefect: (error: unknown) => void
}

/** Progress of one forwarder that goes to disk together. Progress added before it is sent shares its promise. */
interface Pending {
  commit: FeedCommit & { readonly changes: Change[], readonly records: RecordedAttempt[] }
  readonly saved: Promise<void>
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** Saves the progress of feeds in the store. Progress that arrives during a save goes with the next one. */
export function createProgressSaver ({ save, onLost, onDefect }: ProgressSaverOptions): ProgressSaver {
  /** In the order in which the progress was made. */
  let queue: Pending[] = []
  /** By forwarder, the queued entry to which its next progress of the same term is added. */
  const collecting = new Map<string, Pending>()
  let scheduled: NodeJS.Immediate | undefined
  let retryTimer: NodeJS.Timeout | undefined
  let sending = false
  let onIdle: (() => void) | undefined
  let closing: Promise<void> | undefined

  function add (progress: FeedCommit): Promise<void> {
    const others = collecting.get(progress.forwarder)
    if (others?.commit.term === progress.term) {
      put(progress, others)
      return others.saved
    }
    const pending = toPending(progress)
    collecting.set(progress.forwarder, pending)
    queue.push(pending)
    return pending.saved
  }

  function take (): readonly Pending[] {
    const taken = queue
    queue = []
    // Entries that are being saved must not change.
    collecting.clear()
    return taken
  }

  function schedule (): void {
    if (sending || retryTimer !== undefined) return
    scheduled ??= setImmediate(() => { send().catch(onDefect) })
  }

  async function send (): Promise<void> {
    scheduled = undefined
    const taken = take()
    sending = true
    const results = await save(taken.map(({ commit }) => commit)).catch(() => undefined)
    sending = false
    if (results === undefined) {
      for (const each of taken) each.commit = { ...each.commit, again: true }
      queue = [...taken, ...queue]
      retryTimer = setTimeout(tryNow, RETRY_MS)
    } else {
      for (const [index, { commit, resolve, reject }] of taken.entries()) {
        if (results[index] !== 'lost') resolve()
        else {
          reject(new Error('Another one forwards by now'))
          onLost(commit.forwarder, commit.term)
        }
      }
    }
    if (results === undefined || queue.length === 0) onIdle?.()
    else schedule()
  }

  function tryNow (): void {
    clearTimeout(retryTimer)
    retryTimer = undefined
    schedule()
  }

  async function finish (timeoutMs: number): Promise<void> {
    if (sending || queue.length > 0) {
      await within(timeoutMs, new Promise<void>((resolve) => {
        onIdle = resolve
        tryNow()
      }))
    }
    clearTimeout(retryTimer)
    clearImmediate(scheduled)
    for (const { reject } of take()) reject(refusal('tierhook is stopping.'))
  }

  return {
    save (progress) {
      if (closing !== undefined) return Promise.reject(refusal('tierhook is stopping.'))
      const saved = add(progress)
      schedule()
      return saved
    },
    retry () { if (retryTimer !== undefined) tryNow() },
    async close (timeoutMs) {
      closing ??= finish(timeoutMs)
      await closing
    }
  }
}

function toPending ({ changes, records, ...rest }: FeedCommit): Pending {
  let resolve = (): void => {}
  let reject: (error: Error) => void = () => {}
  const saved = new Promise<void>((_resolve, _reject) => {
    resolve = _resolve
    reject = _reject
  })
  return { commit: { ...rest, changes: [...changes], records: [...records] }, saved, resolve, reject }
}

function put ({ cursor, position, breaker, changes, records }: FeedCommit, pending: Pending): void {
  const { commit } = pending
  commit.changes.push(...changes)
  commit.records.push(...records)
  pending.commit = { ...commit, cursor, position: position ?? commit.position, breaker: breaker ?? commit.breaker }
}
