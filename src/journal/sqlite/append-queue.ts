import type { NewDelivery } from '../../delivery/delivery.js'
import type { Appended } from '../../delivery/journal.js'

/** The most deliveries, and bytes of bodies, in one commit. */
export const BATCH_DELIVERIES = 512
const BATCH_BYTES = 8 * 1024 * 1024
/** The most that may queue for a commit, in deliveries and in bytes of bodies. */
const QUEUE_DELIVERIES = 10_000
const QUEUE_BYTES = 64 * 1024 * 1024

export interface PendingAppend {
  readonly delivery: NewDelivery
  /** Monotonic time. */
  readonly arrivedAt: number
  readonly resolve: (appended: Appended) => void
  readonly reject: (error: Error) => void
  /** Whether it was refused while its commit was under way. */
  abandoned: boolean
}

/** Appends that wait for a commit, in the order of their arrival. */
export interface AppendQueue {
  readonly push: (pending: PendingAppend) => void
  readonly length: () => number
  readonly isFull: () => boolean
  readonly oldest: () => PendingAppend | undefined
  /** Takes as many as one commit may hold. */
  readonly takeBatch: () => readonly PendingAppend[]
  /** Takes those that arrived up to this monotonic time. */
  readonly takeArrivedBy: (time: number) => readonly PendingAppend[]
}

export function createAppendQueue (): AppendQueue {
  let queue: PendingAppend[] = []
  let bytes = 0

  function take (count: number): readonly PendingAppend[] {
    const taken = queue.slice(0, count)
    queue = queue.slice(count)
    for (const { delivery } of taken) bytes -= delivery.rawBody.byteLength
    return taken
  }

  return {
    push (pending) {
      queue.push(pending)
      bytes += pending.delivery.rawBody.byteLength
    },
    length: () => queue.length,
    isFull: () => queue.length >= QUEUE_DELIVERIES || bytes >= QUEUE_BYTES,
    oldest: () => queue[0],
    takeBatch () {
      let batchBytes = 0
      const end = queue.slice(0, BATCH_DELIVERIES + 1).findIndex(({ delivery }, index) => {
        batchBytes += delivery.rawBody.byteLength
        return index === BATCH_DELIVERIES || (index > 0 && batchBytes > BATCH_BYTES)
      })
      return take(end === -1 ? queue.length : end)
    },
    takeArrivedBy (time) {
      const end = queue.findIndex(({ arrivedAt }) => arrivedAt > time)
      return take(end === -1 ? queue.length : end)
    }
  }
}
