import { constants } from 'node:fs'
import { open, stat, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { makeFolder } from '../../errors/make-folder.js'
import { systemCode } from '../../errors/system-code.js'
import { begin, type Place } from './beginning.js'
import { endsTorn } from './file-position.js'

/** The event file while it is written to. */
export interface OpenFile {
  readonly handle: FileHandle
  readonly beginning: string
  /** The day (UTC) of its first line. */
  day: string
  /** What is before this is committed, or about to be. */
  bytes: number
  /** Whether the line before this is not ours and has no end. */
  torn: boolean
  /** Whether what is beyond `bytes` may be left of an append that failed. */
  dirty: boolean
  /** Appends since the beginning of our lines, where that is noted: in this file, or in one that was rotated away. */
  appends: number
  /** Whether the beginning is noted beside the file. */
  noted: boolean
}

/** Opens the file for reading and writing; makes it, and its folders, where it is not there. */
export async function openHandle (path: string): Promise<FileHandle> {
  await makeFolder(dirname(path))
  const handle = await open(path, constants.O_RDWR | constants.O_CREAT, 0o640)
  return await orClose(handle, async () => {
    if ((await handle.stat()).isFile()) return handle
    throw new Error(`${path} is not a file`)
  })
}

/** Opens a file for reading; `undefined` where there is none. What is a pipe waits for nobody who writes to it. */
export async function openIfThere (path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** What of the file before it a new one must know, if a commit of any of its lines is not yet sure. */
export interface Before {
  readonly first: Place
  readonly appends: number
}

/** Goes on at the end of a file that is not, or no longer, the one that we know. */
export async function goOnAtEnd (path: string, day: string, before?: Before): Promise<OpenFile> {
  const handle = await openHandle(path)
  return await orClose(handle, async () => {
    const bytes = (await handle.stat()).size
    const { id } = await begin(path, handle, bytes, before?.first)
    return { handle, beginning: id, day, bytes, torn: await endsTorn(handle, bytes), dirty: false, appends: before?.appends ?? 0, noted: true }
  })
}

/** What `work` makes of a file; where it fails, the file is closed. */
export async function orClose<T> (handle: FileHandle, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** Whether the open file is still the one that is to be found under this path. */
export async function isStillAt (handle: FileHandle, path: string): Promise<boolean> {
  const [ours, theirs] = await Promise.all([handle.stat(), stat(path).catch(() => undefined)])
  return theirs?.ino === ours.ino && theirs.dev === ours.dev
}

/** Writes all of the bytes from this position of the file on. */
export async function writeAll (file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0
  while (written < bytes.byteLength) {
    const { bytesWritten } = await file.write(bytes, written, bytes.byteLength - written, position + written)
    written += bytesWritten
  }
}
