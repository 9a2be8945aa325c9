import { constants } from 'node:fs'
import { access, mkdir, open, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Logger } from 'pino'
import type { ForwarderEnd } from '../../delivery/forwarder.js'
import { begin, forgetBeginning, readBeginning, syncFolder } from './beginning.js'
import { dayOf, endsTorn, fits, readTail, type FilePosition } from './file-position.js'
import { rotatedFiles } from './rotated-files.js'

export interface EventFileOptions {
  readonly path: string
  /** Above this size a new file is begun; 0: never. */
  readonly rotateBytes: number
  /** How long rotated files are kept, and then a new one is begun each day (UTC); 0: for ever, and not by day. */
  readonly keepDays: number
  readonly now: () => number
  readonly logger: Logger
}

/** A file that is only ever appended to, and that can be cut back to a position. */
export interface EventFile {
  /** Opens the file and cuts off what was written after the position was committed. Where that fails, the next `append` tries again. */
  readonly start: (position: FilePosition | undefined) => Promise<void>
  /** Appends whole lines and brings them to the disk. Where that fails, or `signal` aborts before it is done, nothing of them stays. */
  readonly append: (lines: Uint8Array, signal: AbortSignal) => Promise<FilePosition>
  /** Waits for a start or a write that was given up, for a short time at most. */
  readonly close: (end?: ForwarderEnd) => Promise<void>
}

const LINE_BREAK = Buffer.from('\n')
const DAY_MS = 86_400_000
const CLOSE_TIMEOUT_MS = 1000
/** No more batches than this are ever written without a commit of the first: more than the dispatcher lets go uncommitted. */
const UNCOMMITTED_APPENDS = 300

interface OpenFile {
  readonly handle: FileHandle
  readonly beginning: string
  readonly day: string
  /** What is before this is committed, or about to be. */
  bytes: number
  /** Whether the line before this is not ours and has no end. */
  torn: boolean
  /** Appends since the beginning was noted, while it is. */
  appends: number
}

export function createEventFile ({ path, rotateBytes, keepDays, now, logger }: EventFileOptions): EventFile {
  const rotated = rotatedFiles(path)
  let committed: FilePosition | undefined
  let started = false
  let file: OpenFile | undefined
  let last: Promise<unknown> = Promise.resolve()

  async function openHandle (): Promise<FileHandle> {
    await mkdir(dirname(path), { recursive: true })
    return await open(path, constants.O_RDWR | constants.O_CREAT, 0o640)
  }

  /** Goes on at the end of a file that is not, or no longer, the one that we know. */
  async function goOnAtEnd (): Promise<OpenFile> {
    await closeFile()
    const handle = await openHandle()
    return await keepOpen(handle, async () => {
      const bytes = (await handle.stat()).size
      const { id } = await begin(path, handle, bytes)
      return { handle, beginning: id, day: dayOf(now()), bytes, torn: await endsTorn(handle, bytes), appends: 0 }
    })
  }

  async function keepOpen<T extends OpenFile | undefined> (handle: FileHandle, look: () => Promise<T>): Promise<T> {
    try {
      const found = await look()
      if (found === undefined) await handle.close()
      else file = found
      return found
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  async function closeFile (): Promise<void> {
    const closing = file
    file = undefined
    await closing?.handle.close()
  }

  /** Once what was written is committed, nothing will have to be told by the beginning any more. */
  async function finish (settled: boolean): Promise<void> {
    if (settled && file !== undefined && file.appends > 0) await forgetBeginning(path)
    await closeFile()
  }

  /** The file as it was when the position was committed. */
  async function cutToPosition (position: FilePosition): Promise<boolean> {
    const handle = await openHandle()
    return await keepOpen(handle, async () => {
      if (!await fits(handle, position)) return undefined
      await handle.truncate(position.bytes)
      return { handle, beginning: position.beginning, day: position.day, bytes: position.bytes, torn: false, appends: 0 }
    }) !== undefined
  }

  /** A file that was begun and of which nothing was ever committed: all that is in it since then goes. */
  async function cutToBeginning (position: FilePosition | undefined): Promise<boolean> {
    const handle = await openHandle()
    return await keepOpen(handle, async () => {
      const beginning = await readBeginning(path, handle)
      if (beginning === undefined || beginning.id === position?.beginning) return undefined
      await handle.truncate(beginning.bytes)
      return { handle, beginning: beginning.id, day: dayOf(now()), bytes: beginning.bytes, torn: await endsTorn(handle, beginning.bytes), appends: 0 }
    }) !== undefined
  }

  /**
   * A crash after a rotation leaves the position's file under its new name, and behind it only what was never committed:
   * the rotation is undone.
   */
  async function undoRotation (position: FilePosition): Promise<boolean> {
    const candidates = (await rotated.list()).toReversed()
    for (const [index, candidate] of candidates.entries()) {
      const handle = await open(candidate, 'r')
      const found = await fits(handle, position).finally(async () => { await handle.close() })
      if (!found) continue
      // The newest first: a crash between two of these steps leaves what the next start can go on with.
      for (const later of candidates.slice(0, index)) await rm(later)
      await rename(candidate, path)
      await syncFolder(path)
      return true
    }
    return false
  }

  async function recover (): Promise<void> {
    const here = await exists(path)
    if (committed !== undefined) {
      if (await cutToPosition(committed)) return
      if (await undoRotation(committed) && await cutToPosition(committed)) return
      logger.warn({ path }, here ? 'event file is not the one that was written last: going on at its end' : 'event file was moved or deleted: a new one is begun')
    }
    if (!await cutToBeginning(committed)) await goOnAtEnd()
  }

  async function recoverOnce (): Promise<void> {
    if (started) return
    await recover()
    started = true
  }

  async function rotateIfDue (current: OpenFile): Promise<OpenFile> {
    const due = current.bytes > 0 && ((rotateBytes > 0 && current.bytes >= rotateBytes) || (keepDays > 0 && current.day !== dayOf(now())))
    if (!due) return current
    await closeFile()
    await rename(path, await rotated.nextName(now()))
    if (keepDays > 0) await rotated.removeBefore(now() - keepDays * DAY_MS)
    return await goOnAtEnd()
  }

  /** A log shipper may have moved the file away or emptied it, or a person deleted it. */
  async function followFile (): Promise<OpenFile> {
    if (file === undefined) return await goOnAtEnd()
    const [ours, theirs] = await Promise.all([file.handle.stat(), stat(path).catch(() => undefined)])
    if (theirs?.ino !== ours.ino || theirs.dev !== ours.dev) {
      logger.warn({ path }, 'event file was moved or deleted: a new one is begun')
      return await goOnAtEnd()
    }
    if (ours.size < file.bytes) {
      logger.warn({ path, expectedBytes: file.bytes, bytes: ours.size }, 'event file was cut by somebody else: going on at its end')
      return await goOnAtEnd()
    }
    if (ours.size > file.bytes) {
      // What an append that failed could not take back, or what somebody else has written.
      logger.warn({ path, expectedBytes: file.bytes, bytes: ours.size }, 'event file is longer than what was written to it: cut off')
      await file.handle.truncate(file.bytes)
    }
    return file
  }

  async function appendNow (lines: Uint8Array, signal: AbortSignal): Promise<FilePosition> {
    signal.throwIfAborted()
    await recoverOnce()
    const target = await rotateIfDue(await followFile())
    const buffer = target.torn ? Buffer.concat([LINE_BREAK, lines]) : lines
    const end = target.bytes + buffer.byteLength
    try {
      await writeAll(target.handle, buffer, target.bytes)
      await target.handle.datasync()
      const tail = await readTail(target.handle, end)
      signal.throwIfAborted()
      target.bytes = end
      target.torn = false
      if (++target.appends === UNCOMMITTED_APPENDS) await forgetBeginning(path)
      return { bytes: end, tail, day: target.day, beginning: target.beginning }
    } catch (error) {
      // What can't be cut off now is cut off by the next append, or by the next start.
      await target.handle.truncate(target.bytes).catch(() => undefined)
      throw error
    }
  }

  /** One after another: an append that was given up may still be at work on a slow disk, and a start when all is closed. */
  async function next<T> (work: () => Promise<T>): Promise<T> {
    const mine = last.catch(() => undefined).then(work)
    last = mine
    return await mine
  }

  return {
    async start (position) {
      committed = position
      try {
        await next(recoverOnce)
      } catch (error) {
        logger.error({ err: error, path }, 'event file cannot be opened')
      }
    },

    async append (lines, signal) {
      return await next(async () => await appendNow(lines, signal))
    },

    async close ({ settled } = { settled: true }) {
      let timer: NodeJS.Timeout | undefined
      const timeout = new Promise<void>((resolve) => { timer = setTimeout(resolve, CLOSE_TIMEOUT_MS) })
      await Promise.race([last.catch(() => undefined).then(async () => { await finish(settled) }), timeout])
      clearTimeout(timer)
    }
  }
}

async function writeAll (file: FileHandle, buffer: Uint8Array, position: number): Promise<void> {
  let written = 0
  while (written < buffer.byteLength) {
    const { bytesWritten } = await file.write(buffer, written, buffer.byteLength - written, position + written)
    written += bytesWritten
  }
}

async function exists (path: string): Promise<boolean> {
  return await access(path).then(() => true, () => false)
}
