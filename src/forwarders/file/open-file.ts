import { constants } from 'node:fs'
import { open, stat, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { makeFolder } from '../../errors/make-folder.js'
import { systemCode } from '../../errors/system-code.js'
import { begin, type Place } from './beginning.js'
import { endsInPartialLine } from './file-position.js'

/** The event file while it is open for appending. */
export interface OpenFile {
  readonly handle: FileHandle
  readonly beginning: string
  /** The day (UTC) of its first line. */
  day: string
  /** The end of our lines, in bytes. Everything before it is committed or about to be. */
  bytes: number
  /** Whether `bytes` is in the middle of another writer's line. */
  torn: boolean
  /** Whether bytes after `bytes` may be the rest of a failed append. */
  dirty: boolean
  /** Number of appends since our lines began, in this file or in one that was rotated away. */
  appends: number
  /** Whether the beginning record is beside the file. */
  noted: boolean
}

/** Opens the file for reading and writing. Creates the file and its folders if needed. */
export async function openHandle (path: string): Promise<FileHandle> {
  await makeFolder(dirname(path))
  const handle = await open(path, constants.O_RDWR | constants.O_CREAT, 0o640)
  return await orClose(handle, async () => {
    if ((await handle.stat()).isFile()) return handle
    throw new Error(`${path} is not a file`)
  })
}

/** Opens a file for reading; `undefined` if there is none. If it is a pipe, the call does not wait for a writer. */
export async function openIfThere (path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** What a new file must know of the previous one while some of the previous one's lines may be uncommitted. */
export interface Before {
  readonly first: Place
  readonly appends: number
}

/** Opens a file that is new, or that we do not recognize, and continues after its contents. */
export async function openAtEnd (path: string, day: string, before?: Before): Promise<OpenFile> {
  const handle = await openHandle(path)
  return await orClose(handle, async () => {
    const bytes = (await handle.stat()).size
    const { id } = await begin(path, handle, bytes, before?.first)
    return { handle, beginning: id, day, bytes, torn: await endsInPartialLine(handle, bytes), dirty: false, appends: before?.appends ?? 0, noted: true }
  })
}

/** Returns the result of `work`. Closes the file if `work` fails. */
export async function orClose<T> (handle: FileHandle, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** Whether the open file is still the one at this path. */
export async function isStillAt (handle: FileHandle, path: string): Promise<boolean> {
  const [ours, theirs] = await Promise.all([handle.stat(), stat(path).catch(() => undefined)])
  return theirs?.ino === ours.ino && theirs.dev === ours.dev
}

/** Writes all of the bytes to the file, from this position on. */
export async function writeAll (file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0
  while (written < bytes.byteLength) {
    const { bytesWritten } = await file.write(bytes, written, bytes.byteLength - written, position + written)
    written += bytesWritten
  }
}
