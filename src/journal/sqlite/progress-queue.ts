import type { FeedCommit, RecordedAttempt } from '../feed-store.js'
import type { Change } from '../schedule.js'

/** The progress of one forwarder that goes to the disk together. What is added meanwhile waits for the same promise. */
export interface PendingProgress extends FeedCommit {
  cursor: number
  position: FeedCommit['position']
  breaker: FeedCommit['breaker']
  readonly changes: Change[]
  readonly records: RecordedAttempt[]
  readonly saved: Promise<void>
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** Progress that waits for a commit, in the order in which it was made. */
export interface ProgressQueue {
  readonly add: (progress: FeedCommit) => Promise<void>
  readonly length: () => number
  readonly take: () => readonly PendingProgress[]
  /** Puts what was taken, and could not be stored, before what has been added since. */
  readonly putBack: (taken: readonly PendingProgress[]) => void
}

export function createProgressQueue (): ProgressQueue {
  let queue: PendingProgress[] = []
  /** By forwarder: what its next progress is put to. */
  const collecting = new Map<string, PendingProgress>()

  return {
    add (progress) {
      const others = collecting.get(progress.forwarder)
      if (others !== undefined) {
        put(progress, others)
        return others.saved
      }
      const pending = pendingOf(progress)
      collecting.set(progress.forwarder, pending)
      queue.push(pending)
      return pending.saved
    },
    length: () => queue.length,
    take () {
      const taken = queue
      queue = []
      // What is under way stays as it is.
      collecting.clear()
      return taken
    },
    putBack (taken) { queue = [...taken, ...queue] }
  }
}

function pendingOf ({ changes, records, ...rest }: FeedCommit): PendingProgress {
  let resolve = (): void => {}
  let reject: (error: Error) => void = () => {}
  const saved = new Promise<void>((_resolve, _reject) => {
    resolve = _resolve
    reject = _reject
  })
  return { ...rest, changes: [...changes], records: [...records], saved, resolve, reject }
}

function put ({ cursor, position, breaker, changes, records }: FeedCommit, pending: PendingProgress): void {
  pending.cursor = cursor
  pending.position = position ?? pending.position
  pending.breaker = breaker ?? pending.breaker
  pending.changes.push(...changes)
  pending.records.push(...records)
}

/** What of it may cross to another thread. */
export function toCommit ({ forwarder, cursor, position, breaker, changes, records }: PendingProgress): FeedCommit {
  return { forwarder, cursor, position, breaker, changes, records }
}
