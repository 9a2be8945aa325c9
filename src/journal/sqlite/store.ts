import { setImmediate as turn } from 'node:timers/promises'
import type { EndedCommit } from '../../delivery/observation.js'
import type { AppendResult, FeedCommit, Progress, SaveResult } from '../engine.js'
import { codeOf } from './database.js'
import { unpackAppends, type AppendRecord, type PackedAppends } from './packed-appends.js'
import type { Batch, BatchResult, RegisterFeed, WriterApi } from './protocol.js'
import { errorFields, ThreadError } from '../../threads/thread-error.js'

/** The most deliveries, and bytes of bodies, in one commit. */
const BATCH_DELIVERIES = 512
const BATCH_BYTES = 8 * 1024 * 1024
/** How long progress may wait to share a commit, in milliseconds. After a crash, this much is forwarded again. */
const PROGRESS_DELAY_MS = 50
/** How often a commit waits for another program's lock. After the first time, a probe can report the lock. */
const LOCK_TRIES = 2

export interface Appends {
  /** One result per append, in the same order. */
  readonly results: readonly AppendResult[]
  /** Whether deduplication keys cannot be read. Then duplicates of stored events are stored too. */
  readonly keysDamaged: boolean
}

/** The store as other threads call it. Calls made during a commit share the next one. */
export interface StoreApi extends Omit<WriterApi, 'commit' | 'registerFeed'> {
  /** Resolves when the deliveries are on disk, or are found to be duplicates. */
  append: (appends: PackedAppends) => Promise<Appends>
  /** Removes deliveries by id, including those not stored yet. Resolves when none of them is on disk any more. */
  withdraw: (ids: readonly string[]) => Promise<void>
  /** @param term the term of the thread that will save the forwarder's progress */
  registerFeed: (options: RegisterFeed & Pick<Progress, 'term'>) => Progress
  /**
   * Resolves when the progress is on disk, or is lost: progress of an earlier term than the latest is never stored. If it rejects, nothing
   * is stored.
   */
  save: (progress: readonly FeedCommit[]) => Promise<SaveResult>
}

export interface StoreOptions {
  readonly monotonic: () => number
  /** Called after each commit. Its error has only fields that can be sent between threads. */
  readonly onCommit: (commit: EndedCommit) => void
  /** Calls the writer's `commit`; by default directly. */
  readonly commit?: (batch: Batch) => BatchResult | Promise<BatchResult>
}

interface Waiting<T> {
  readonly resolve: (result: T) => void
  readonly reject: (error: unknown) => void
}

interface WaitingAppends extends Waiting<Appends> {
  /** `undefined` for those that were withdrawn meanwhile. */
  records: ReadonlyArray<AppendRecord | undefined>
  readonly bytes: number
}

/** Adds a group commit to a writer: all calls made during one transaction share the next, and no append waits for others to come. */
export function createStore (writer: WriterApi, { monotonic, onCommit, commit = writer.commit }: StoreOptions): StoreApi {
  let appends: WaitingAppends[] = []
  let saves: Array<Waiting<SaveResult> & { readonly progress: readonly FeedCommit[] }> = []
  let withdrawals: Array<Waiting<void> & { readonly ids: readonly string[] }> = []
  let scheduled: NodeJS.Immediate | undefined
  let progressTimer: NodeJS.Timeout | undefined
  let running = false
  /** The error of another program's lock, while commits wait for it. */
  let locked: unknown
  let term = 0
  let onRest: Array<() => void> = []

  /** Commits at the end of the event loop's turn, so that all calls of one turn go together. */
  function schedule (): void {
    if (running) return
    scheduled ??= setImmediate(() => { run().catch((error: unknown) => { throw error }) })
  }

  function scheduleProgress (): void {
    if (running || scheduled !== undefined) return
    progressTimer ??= setTimeout(schedule, PROGRESS_DELAY_MS)
  }

  async function run (): Promise<void> {
    clearTimeout(progressTimer)
    progressTimer = scheduled = undefined
    running = true
    const taken = { appends: takeAppends(), saves, withdrawals }
    saves = []
    withdrawals = []
    const batch = { withdraw: taken.withdrawals.flatMap(({ ids }) => ids), progress: taken.saves.flatMap(({ progress }) => progress), appends: taken.appends.flatMap(({ records }) => records.filter((record) => record !== undefined)) }
    const startedAt = monotonic()
    const facts = (): Pick<EndedCommit, 'deliveries' | 'ms'> => ({ deliveries: batch.appends.length, ms: monotonic() - startedAt })
    try {
      const result = await commitUnlessLocked(batch)
      const results = result.appends.values()
      for (const { records, resolve } of taken.appends) {
        resolve({ results: records.map((record) => record === undefined ? undefined : results.next().value), keysDamaged: result.keysDamaged })
      }
      for (const { resolve } of taken.withdrawals) resolve()
      const { progressError } = result
      for (const { progress, resolve, reject } of taken.saves) {
        if (isLost(progress)) resolve('lost')
        else if (progressError === undefined) resolve('saved')
        else reject(new ThreadError(progressError.message, progressError.code))
      }
      onCommit(progressError === undefined ? facts() : { ...facts(), progressError })
    } catch (error) {
      for (const { reject } of [...taken.appends, ...taken.withdrawals, ...taken.saves]) reject(error)
      onCommit({ ...facts(), error: errorFields(error) })
    }
    running = false
    if (appends.length + withdrawals.length > 0 || (onRest.length > 0 && saves.length > 0)) schedule()
    else if (saves.length > 0) scheduleProgress()
    rest()
  }

  async function commitUnlessLocked (batch: Batch): Promise<BatchResult> {
    for (let tries = 1; ; tries++) {
      try {
        // A new deliver thread may have registered since the progress was queued.
        const result = await commit(isLost(batch.progress) ? { ...batch, progress: batch.progress.filter((each) => each.term >= term) } : batch)
        locked = undefined
        return result
      } catch (error) {
        locked = codeOf(error) === 'SQLITE_BUSY' ? error : undefined
        if (locked === undefined || tries === LOCK_TRIES) throw error
        await turn()
      }
    }
  }

  function isLost (progress: readonly FeedCommit[]): boolean {
    return progress.some((each) => each.term < term)
  }

  function takeAppends (): readonly WaitingAppends[] {
    let deliveries = 0
    let bytes = 0
    const end = appends.findIndex((each, index) => {
      deliveries += each.records.length
      bytes += each.bytes
      return index > 0 && (deliveries > BATCH_DELIVERIES || bytes > BATCH_BYTES)
    })
    const taken = end === -1 ? appends : appends.slice(0, end)
    appends = appends.slice(taken.length)
    return taken
  }

  function rest (): void {
    if (running || appends.length + withdrawals.length + saves.length > 0) return
    const waiting = onRest
    onRest = []
    for (const each of waiting) each()
  }

  return {
    ...writer,

    probe () {
      if (running && locked !== undefined) throw locked
      writer.probe()
    },

    async append (packed) {
      const records = unpackAppends(packed)
      return await new Promise((resolve, reject) => {
        appends.push({ records, bytes: packed.bodies.byteLength, resolve, reject })
        schedule()
      })
    },

    withdraw: async (ids) => await new Promise((resolve, reject) => {
      const gone = new Set(ids)
      for (const each of appends) each.records = each.records.map((record) => record === undefined || gone.has(record.id) ? undefined : record)
      withdrawals.push({ ids, resolve, reject })
      schedule()
    }),

    registerFeed (options) {
      term = Math.max(term, options.term)
      return { ...writer.registerFeed(options), term: options.term }
    },

    save: async (progress) => await new Promise((resolve, reject) => {
      if (isLost(progress)) return resolve('lost')
      saves.push({ progress, resolve, reject })
      scheduleProgress()
    }),

    /** Completes all earlier calls first. */
    async close () {
      await new Promise<void>((resolve) => {
        onRest.push(resolve)
        if (saves.length > 0) schedule()
        rest()
      })
      writer.close()
    }
  }
}
