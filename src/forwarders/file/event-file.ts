import { stat } from 'node:fs/promises'
import type { Logger } from 'pino'
import { systemClock } from '../../delivery/clock.js'
import type { ForwarderEnd } from '../../delivery/forwarder.js'
import { createSteadyClock } from '../../delivery/steady-clock.js'
import { within } from '../../delivery/within.js'
import { forgetBeginning, readBeginning } from './beginning.js'
import type { Unfinished } from './file-part.js'
import { dayOf, type FilePosition } from './file-position.js'
import { openAtEnd, isStillAt, openIfThere, orClose, type Before, type OpenFile } from './open-file.js'
import { recover } from './recovery.js'
import { rotatedFiles } from './rotated-files.js'
import { createRotation } from './rotation.js'
import { setTailAside } from './set-aside.js'
import { takeBack, writeLines } from './write-lines.js'
import { EventFileInUseError, type WriteLock } from './write-lock.js'

export interface EventFileOptions {
  readonly path: string
  /** The size in bytes above which a new file is begun; 0: no limit. */
  readonly rotateBytes: number
  /** How long rotated files are kept. If above 0, a new file is also begun each day (UTC). 0: rotated files are kept for ever. */
  readonly keepDays: number
  /** How often the file is checked while no event arrives, in milliseconds. Absent: only when an event arrives. */
  readonly housekeepingMs?: number
  readonly now: () => number
  /** The clock to compare `now` with. Absent: every reading of `now` is believed. */
  readonly monotonic?: () => number
  /** Prevents other processes from writing to the file. Absent: no other process does. */
  readonly lock?: WriteLock
  readonly logger: Logger
}

/** A file that is only appended to, and that can be cut back to a position. */
export interface EventFile {
  /**
   * Locks the path, and the file if it exists. `start` and `append` lock the file that they open.
   * @throws {EventFileInUseError}
   */
  readonly claim: () => Promise<void>
  /**
   * Opens the file and cuts off the lines that were written after the last commit and will be written again. If that fails, the next
   * `append` tries again.
   * @param unfinished tells which deliveries will be written again. Absent: all deliveries after the position
   */
  readonly start: (position: FilePosition | undefined, unfinished?: Unfinished) => Promise<void>
  /**
   * Appends whole lines and flushes them to disk. If that fails or `signal` aborts first, the lines are cut off again, at the latest by the next
   * append or start.
   */
  readonly append: (lines: Uint8Array, signal: AbortSignal) => Promise<FilePosition>
  /** Closes the file. Waits for a start or append that was given up, for a second at most. */
  readonly close: (end?: ForwarderEnd) => Promise<void>
}

const CLOSE_TIMEOUT_MS = 1000
/** After this many appends the first one is surely committed: the dispatcher lets fewer batches run uncommitted. */
const UNCOMMITTED_APPENDS = 300

export function createEventFile (options: EventFileOptions): EventFile {
  const { path, keepDays, rotateBytes, housekeepingMs, now, monotonic = systemClock.monotonic, lock, logger } = options
  const rotated = rotatedFiles(path)
  const rotation = createRotation({ path, rotated, rotateBytes, keepDays, now, monotonic, isClockSteady: () => isClockSteady(), logger })
  let committed: FilePosition | undefined
  let unfinished: Unfinished | undefined
  let started = false
  let file: OpenFile | undefined
  /** What the next file must know of this one. Kept here because a full disk may delay the creation of the next file. */
  let before: Before | undefined
  let last: Promise<unknown> = Promise.resolve()
  let maintenance: NodeJS.Timeout | undefined
  let isClockSteady = (): boolean => true

  /** Takes the locks. Must come before any change to the file. */
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

  /** Starts to watch the wall clock. One reading of a wrong clock would remove all rotated files. */
  async function watchClock (): Promise<void> {
    if (keepDays === 0 || options.monotonic === undefined) return
    const newest = await stat(path).catch(() => undefined)
    // The journal already logs a clock that was set.
    isClockSteady = createSteadyClock({ clock: { now, monotonic }, lastReceivedAt: newest?.mtimeMs, onStep: () => {} })
  }

  async function beginAtEnd (): Promise<OpenFile> {
    await closeFile()
    const begun = await use(await openAtEnd(path, dayOf(now()), before))
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

  /** Returns the file to append to. A log shipper may have moved or emptied the previous one, or a person may have deleted it. */
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
      // The rest of our own failed append is cut off. Bytes of another writer are set aside.
      const setAside = file.dirty ? undefined : await setTailAside(file.handle, file.bytes, path, now())
      logger.warn({ path, expectedBytes: file.bytes, bytes: size, setAside }, 'event file is longer than what was written to it: cut off')
      await takeBack(file)
    }
    return file
  }

  async function rotateIfDue (current: OpenFile): Promise<OpenFile> {
    if (!await rotation.rotate(current)) return current
    before = await readBefore(current)
    const begun = await beginAtEnd()
    await rotation.removeOld()
    return begun
  }

  /** Before the first commit, only the beginning record tells which lines may be uncommitted. Those lines may span several files. */
  async function readBefore ({ noted, appends }: OpenFile): Promise<Before | undefined> {
    const beginning = noted ? await readBeginning(path) : undefined
    if (beginning === undefined) return undefined
    const { inode, bytes, tail } = beginning.first ?? beginning
    return { first: { inode, bytes, tail }, appends }
  }

  async function appendNow (lines: Uint8Array, signal: AbortSignal): Promise<FilePosition> {
    signal.throwIfAborted()
    await recoverOnce()
    const target = await rotateIfDue(await followFile())
    // Rotation by day may have created this empty file days ago.
    if (target.bytes === 0) target.day = dayOf(now())
    const tail = await writeLines(target, lines, { path, signal })
    // The lines are on disk from here on and must not be written again, so nothing below may reject.
    if (target.appends >= UNCOMMITTED_APPENDS) await forget(target)
    return { bytes: target.bytes, tail, day: target.day, beginning: target.beginning }
  }

  /** Removes the beginning record, which is useless after a commit. If that fails, a later append or `close` tries again. */
  async function forget (target: OpenFile): Promise<void> {
    if (!target.noted) return
    await forgetBeginning(path).then(() => { target.noted = false }, (error: unknown) => { logger.debug({ err: error, path }, 'event file\'s beginning cannot be forgotten') })
  }

  async function finish (settled: boolean): Promise<void> {
    if (settled && file !== undefined && file.appends > 0) await forget(file)
    await closeFile()
    await lock?.release()
  }

  /** Runs work one after another. An append that was given up may still be running on a slow disk, or a start during `close`. */
  async function next<T> (work: () => Promise<T>): Promise<T> {
    const mine = last.catch(() => undefined).then(work)
    last = mine
    return await mine
  }

  async function maintain (): Promise<void> {
    await recoverOnce()
    await rotateIfDue(await followFile())
    await rotation.removeOld()
  }

  function startMaintenance (): void {
    if (housekeepingMs === undefined) return
    let busy = false
    maintenance ??= setInterval(() => {
      if (busy) return
      busy = true
      // Not a warning: the next append reports the error, and the log already names a file that was moved or cut.
      next(maintain).catch((error: unknown) => { logger.debug({ err: error, path }, 'event file not looked after') }).finally(() => { busy = false })
    }, housekeepingMs)
  }

  return {
    async claim () {
      try {
        await next(claimNow)
      } catch (error) {
        // The first append reports any other error, if it still exists by then.
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
      startMaintenance()
    },

    async append (lines, signal) {
      return await next(async () => await appendNow(lines, signal))
    },

    async close ({ settled } = { settled: true }) {
      clearInterval(maintenance)
      await within(CLOSE_TIMEOUT_MS, last.catch(() => undefined).then(async () => { await finish(settled) }))
    }
  }
}
