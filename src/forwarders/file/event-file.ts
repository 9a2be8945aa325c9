import { constants } from 'node:fs'
import { access, mkdir, open, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Logger } from 'pino'
import { dayOf, fits, readTail, type FilePosition } from './file-position.js'
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
  /** Opens the file and cuts off what was written after the position was committed. */
  readonly start: (position: FilePosition | undefined) => Promise<void>
  /** Appends whole lines and brings them to the disk. Where that fails, or `signal` aborts before it is done, nothing of them stays. */
  readonly append: (lines: string, signal: AbortSignal) => Promise<FilePosition>
  readonly close: () => Promise<void>
}

const DAY_MS = 86_400_000

export function createEventFile ({ path, rotateBytes, keepDays, now, logger }: EventFileOptions): EventFile {
  const rotated = rotatedFiles(path)
  let file: FileHandle | undefined
  let bytes = 0
  let day = ''
  let last: Promise<unknown> = Promise.resolve()

  async function openFile (): Promise<FileHandle> {
    await mkdir(dirname(path), { recursive: true })
    return await open(path, constants.O_RDWR | constants.O_CREAT, 0o640)
  }

  /** Goes on at the end of a file that is not, or no longer, the one that we know. */
  async function startAnew (): Promise<FileHandle> {
    await file?.close()
    file = await openFile()
    bytes = (await file.stat()).size
    day = dayOf(now())
    return file
  }

  /**
   * A crash after a rotation leaves the position's file under its new name, and behind it only what was never committed:
   * the rotation is undone.
   */
  async function undoRotation (position: FilePosition): Promise<boolean> {
    if (position.bytes === 0) return false
    const candidates = (await rotated.list()).toReversed()
    for (const [index, candidate] of candidates.entries()) {
      const handle = await open(candidate, 'r')
      const found = await fits(handle, position).finally(async () => { await handle.close() })
      if (!found) continue
      for (const later of candidates.slice(0, index)) await rm(later)
      await rename(candidate, path)
      return true
    }
    return false
  }

  async function rotateIfDue (current: FileHandle): Promise<FileHandle> {
    const today = dayOf(now())
    const due = bytes > 0 && ((rotateBytes > 0 && bytes >= rotateBytes) || (keepDays > 0 && day !== today))
    if (!due) return current
    await current.close()
    file = undefined
    await rename(path, await freeName())
    if (keepDays > 0) await rotated.removeBefore(now() - keepDays * DAY_MS)
    return await startAnew()
  }

  /** Two rotations within a millisecond, or after the clock stepped back, must not meet. */
  async function freeName (): Promise<string> {
    for (let at = now(); ; at++) {
      const name = rotated.nameAt(at)
      if (!await exists(name)) return name
    }
  }

  /** A log shipper may have moved the file away or emptied it, or a person deleted it. */
  async function followFile (): Promise<FileHandle> {
    if (file === undefined) return await startAnew()
    const [ours, theirs] = await Promise.all([file.stat(), stat(path).catch(() => undefined)])
    if (theirs?.ino !== ours.ino || theirs.dev !== ours.dev) {
      logger.warn({ path }, 'event file was moved or deleted: a new one is begun')
      return await startAnew()
    }
    if (ours.size < bytes) {
      logger.warn({ path, expectedBytes: bytes, bytes: ours.size }, 'event file was cut by somebody else: going on at its end')
      bytes = ours.size
    }
    return file
  }

  async function appendNow (buffer: Buffer, signal: AbortSignal): Promise<FilePosition> {
    signal.throwIfAborted()
    const target = await rotateIfDue(await followFile())
    const end = bytes + buffer.byteLength
    try {
      await writeAll(target, buffer, bytes)
      await target.datasync()
      const tail = await readTail(target, end)
      signal.throwIfAborted()
      bytes = end
      return { bytes, tail, day }
    } catch (error) {
      // What can't be cut off now is written over by the next append, or cut off by the next start.
      await target.truncate(bytes).catch(() => undefined)
      throw error
    }
  }

  return {
    async start (position) {
      const here = await exists(path)
      if (position === undefined) {
        await startAnew()
        return
      }
      let handle = await openFile()
      file = handle
      if (!await fits(handle, position) && await undoRotation(position)) {
        await handle.close()
        handle = await openFile()
        file = handle
      }
      if (await fits(handle, position)) {
        await handle.truncate(position.bytes)
        bytes = position.bytes
        day = position.day
        return
      }
      logger.warn({ path }, here ? 'event file is not the one that was written last: going on at its end' : 'event file was moved or deleted: a new one is begun')
      await startAnew()
    },

    async append (lines, signal) {
      // One that was given up may still be at work on a slow disk.
      const mine = last.catch(() => undefined).then(async () => await appendNow(Buffer.from(lines), signal))
      last = mine
      return await mine
    },

    async close () {
      await last.catch(() => undefined)
      await file?.close()
      file = undefined
    }
  }
}

async function writeAll (file: FileHandle, buffer: Buffer, position: number): Promise<void> {
  let written = 0
  while (written < buffer.byteLength) {
    const { bytesWritten } = await file.write(buffer, written, buffer.byteLength - written, position + written)
    written += bytesWritten
  }
}

async function exists (path: string): Promise<boolean> {
  return await access(path).then(() => true, () => false)
}
