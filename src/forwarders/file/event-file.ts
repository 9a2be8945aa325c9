import { stat } from 'node:fs/promises'
import type { Logger } from 'pino'
import { systemClock } from '../../delivery/clock.js'
import type { ForwarderEnd } from '../../delivery/forwarder.js'
import { createSteadyClock } from '../../delivery/steady-clock.js'
import { within } from '../../delivery/within.js'
import { forgetBeginning, readBeginning } from './beginning.js'
import type { Unfinished } from './file-part.js'
import { dayOf, type FilePosition } from './file-position.js'
import { goOnAtEnd, isStillAt, openIfThere, orClose, type Before, type OpenFile } from './open-file.js'
import { recover } from './recovery.js'
import { rotatedFiles } from './rotated-files.js'
import { createRotation } from './rotation.js'
import { setTailAside } from './set-aside.js'
import { takeBack, writeLines } from './write-lines.js'
import { EventFileInUseError, type WriteLock } from './write-lock.js'

export interface EventFileOptions {
  readonly path: string
  /** Above this size a new file is begun; 0: never. */
  readonly rotateBytes: number
  /** How long rotated files are kept, and then a new one is begun each day (UTC); 0: for ever, and not by day. */
  readonly keepDays: number
  /** How often the file is looked after when no event comes, in milliseconds; only when one comes where it is absent. */
  readonly housekeepingMs?: number
  readonly now: () => number
  /** What `now` is compared with; where it is absent, `now` is believed whatever it does. */
  readonly monotonic?: () => number
  /** Keeps others from writing to the file; where it is absent, nobody else does. */
  readonly lock?: WriteLock
  readonly logger: Logger
}

/** A file that is only ever appended to, and that can be cut back to a position. */
export interface EventFile {
  /**
   * Makes sure that nobody else writes to the file, as far as can be told before it is opened.
   * @throws {EventFileInUseError}
   */
  readonly claim: () => Promise<void>
  /**
   * Opens the file and cuts off what was written after the position was committed and comes again. Where that fails, the next
   * `append` tries again.
   * @param unfinished what comes again; where it is absent, all that is beyond the position
   */
  readonly start: (position: FilePosition | undefined, unfinished?: Unfinished) => Promise<void>
  /** Appends whole lines and brings them to the disk. Where that fails, or `signal` aborts before it is done, nothing of them stays. */
  readonly append: (lines: Uint8Array, signal: AbortSignal) => Promise<FilePosition>
  /** Waits for a start or a write that was given up, for a short time at most. */
  readonly close: (end?: ForwarderEnd) => Promise<void>
}

const CLOSE_TIMEOUT_MS = 1000
/** No more batches than this are ever written without a commit of the first: more than the dispatcher lets go uncommitted. */
const UNCOMMITTED_APPENDS = 300

export function createEventFile (options: EventFileOptions): EventFile {
  const { path, keepDays, rotateBytes, housekeepingMs, now, monotonic = systemClock.monotonic, lock, logger } = options
  const rotated = rotatedFiles(path)
  const rotation = createRotation({ path, rotated, rotateBytes, keepDays, now, monotonic, isClockSteady: () => isClockSteady(), logger })
  let committed: FilePosition | undefined
  let unfinished: Unfinished | undefined
  let started = false
  let file: OpenFile | undefined
  /** What the next file is begun with, also where a full disk lets it be begun only later. */
  let before: Before | undefined
  let last: Promise<unknown> = Promise.resolve()
  let housekeeping: NodeJS.Timeout | undefined
  let isClockSteady = (): boolean => true

  /** Before anything of the file is changed. */
  async function claimNow (): Promise<void> {
    if (lock === undefined) return
    await lock.holdPath()
    const there = await openIfThere(path)
    if (there !== undefined) await lock.holdFile(there).finally(async () => { await there.close() })
  }

  async function recoverOnce (): Promise<void> {
    if (started) return
    await claimNow()
    await use(await recover({ path, rotated, position: committed, unfinished, now, logger }))
    started = true
  }

  /** One reading of a wrong clock would remove all files that were rotated away. */
  async function watchClock (): Promise<void> {
    if (keepDays === 0 || options.monotonic === undefined) return
    const newest = await stat(path).catch(() => undefined)
    // The journal tells of a clock that was set.
    isClockSteady = createSteadyClock({ clock: { now, monotonic }, lastReceivedAt: newest?.mtimeMs, onStep: () => {} })
  }

  async function beginAtEnd (): Promise<OpenFile> {
    await closeFile()
    const begun = await use(await goOnAtEnd(path, dayOf(now()), before))
    before = undefined
    return begun
  }

  async function use (opened: OpenFile): Promise<OpenFile> {
    await orClose(opened.handle, async () => { await lock?.holdFile(opened.handle) })
    file = opened
    return opened
  }

  async function closeFile (): Promise<void> {
    const closing = file
    file = undefined
    await closing?.handle.close()
  }

  /** A log shipper may have moved the file away or emptied it, or a person deleted it. */
  async function followFile (): Promise<OpenFile> {
    await lock?.holdPath()
    if (file === undefined) return await beginAtEnd()
    if (!await isStillAt(file.handle, path)) {
      logger.warn({ path }, 'event file was moved or deleted: a new one is begun')
      return await beginAtEnd()
    }
    const { size } = await file.handle.stat()
    if (size < file.bytes) {
      logger.warn({ path, expectedBytes: file.bytes, bytes: size }, 'event file was cut by somebody else: going on at its end')
      return await beginAtEnd()
    }
    if (size > file.bytes) {
      // What an append of ours could not take back goes. What somebody else has written is theirs.
      const setAside = file.dirty ? undefined : await setTailAside(file.handle, file.bytes, path, now())
      logger.warn({ path, expectedBytes: file.bytes, bytes: size, setAside }, 'event file is longer than what was written to it: cut off')
      await takeBack(file)
    }
    return file
  }

  async function rotateIfDue (current: OpenFile): Promise<OpenFile> {
    if (!await rotation.rotate(current)) return current
    before = await beforeNew(current)
    const begun = await beginAtEnd()
    await rotation.removeOld()
    return begun
  }

  /** Before the first commit only the beginning tells which lines no commit knows of, and they may span several files. */
  async function beforeNew ({ noted, appends }: OpenFile): Promise<Before | undefined> {
    const beginning = noted ? await readBeginning(path) : undefined
    if (beginning === undefined) return undefined
    const { inode, bytes, tail } = beginning.first ?? beginning
    return { first: { inode, bytes, tail }, appends }
  }

  async function appendNow (lines: Uint8Array, signal: AbortSignal): Promise<FilePosition> {
    signal.throwIfAborted()
    await recoverOnce()
    const target = await rotateIfDue(await followFile())
    // A file that was begun by the clock may have waited for days.
    if (target.bytes === 0) target.day = dayOf(now())
    const tail = await writeLines(target, lines, { path, signal })
    // From here on the lines are there for good: whatever else fails, they must not be written again.
    if (target.appends >= UNCOMMITTED_APPENDS) await forget(target)
    return { bytes: target.bytes, tail, day: target.day, beginning: target.beginning }
  }

  /** Once what was written is committed, nothing will have to be told by the beginning any more. Where this fails, it is tried again. */
  async function forget (target: OpenFile): Promise<void> {
    if (!target.noted) return
    await forgetBeginning(path).then(() => { target.noted = false }, (error: unknown) => { logger.debug({ err: error, path }, 'event file\'s beginning cannot be forgotten') })
  }

  async function finish (settled: boolean): Promise<void> {
    if (settled && file !== undefined && file.appends > 0) await forget(file)
    await closeFile()
    await lock?.release()
  }

  /** One after another: an append that was given up may still be at work on a slow disk, and a start when all is closed. */
  async function next<T> (work: () => Promise<T>): Promise<T> {
    const mine = last.catch(() => undefined).then(work)
    last = mine
    return await mine
  }

  async function keepHouse (): Promise<void> {
    await recoverOnce()
    await rotateIfDue(await followFile())
    await rotation.removeOld()
  }

  function keepHouseByTheClock (): void {
    if (housekeepingMs === undefined) return
    let busy = false
    housekeeping ??= setInterval(() => {
      if (busy) return
      busy = true
      // What is in the way is told by the next append, and what must be known of files that come and go is logged by then.
      next(keepHouse).catch((error: unknown) => { logger.debug({ err: error, path }, 'event file not looked after') }).finally(() => { busy = false })
    }, housekeepingMs)
  }

  return {
    async claim () {
      try {
        await next(claimNow)
      } catch (error) {
        // All else may be well by the time that the file is written to, and is told then.
        if (error instanceof EventFileInUseError) throw error
      }
    },

    async start (position, comesAgain) {
      committed = position
      unfinished = comesAgain
      try {
        await next(async () => {
          await watchClock()
          await recoverOnce()
          await rotation.removeOld()
        })
      } catch (error) {
        logger.error({ err: error, path }, 'event file cannot be opened')
      }
      keepHouseByTheClock()
    },

    async append (lines, signal) {
      return await next(async () => await appendNow(lines, signal))
    },

    async close ({ settled } = { settled: true }) {
      clearInterval(housekeeping)
      await within(CLOSE_TIMEOUT_MS, last.catch(() => undefined).then(async () => { await finish(settled) }))
    }
  }
}
