import { closeSync, constants, fsyncSync, openSync } from 'node:fs'
import { lstat, open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { Value } from '@sinclair/typebox/value'
import { appendLines, appendLinesLater } from '../errors/append-lines.js'
import { giveToFolderOwner } from '../errors/give-to-folder-owner.js'
import { RecordedActionSchema, type RecordedAction } from './operator-action.js'

/** Bytes per read. A line of the list is far shorter. */
const CHUNK_BYTES = 262_144
const MODE = 0o640
/** Never follows a symbolic link, and never blocks on a named pipe. */
const TO_APPEND = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** A position in a file, with its inode to notice a renamed file. */
export interface Place {
  readonly inode: number
  readonly offset: number
}

/** Path of the action list: operators' actions, one JSON object per line. */
export function actionListPath (dataDir: string): string {
  return join(dataDir, 'operator-actions.ndjson')
}

/** Path of the older part of the action list, renamed when the list grew too large. */
export function olderActionListPath (dataDir: string): string {
  return join(dataDir, 'operator-actions.old.ndjson')
}

/**
 * Appends an action and syncs it to disk before it returns. For commands.
 * @throws if the file cannot be written
 */
export function addToActionList (dataDir: string, action: RecordedAction): void {
  const file = openSync(actionListPath(dataDir), TO_APPEND, MODE)
  try {
    giveToFolderOwner(file, dataDir)
    appendLines(file, lineOf(action))
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Appends an action without a sync. For the service. */
export async function appendAction (path: string, action: RecordedAction): Promise<void> {
  const file = await open(path, TO_APPEND, MODE)
  try {
    await appendLinesLater(file, lineOf(action))
  } finally {
    await file.close()
  }
}

function lineOf (action: RecordedAction): string {
  return `${JSON.stringify(action)}\n`
}

/** Returns the current end of a file; `undefined` if it does not exist or is not a regular file. */
export async function endOfFile (path: string): Promise<Place | undefined> {
  try {
    const found = await lstat(path)
    return found.isFile() ? { inode: found.ino, offset: found.size } : undefined
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** Returns the last lines of a file, newest first; none if the file does not exist. */
export async function readEnd (path: string): Promise<readonly string[]> {
  const end = await endOfFile(path)
  if (end === undefined) return []
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const from = Math.max(0, end.offset - CHUNK_BYTES)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, from)
    // The first line may be cut. A cut line is not valid JSON, so parsing drops it.
    return buffer.toString('utf8', 0, bytesRead).split('\n').reverse()
  } finally {
    await file.close()
  }
}

/** Reads the complete lines of the next chunk. `bytes` is their length; 0 means that there is no complete line yet. */
export async function readLines (file: FileHandle, from: number): Promise<{ readonly lines: readonly string[], readonly bytes: number }> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, from)
  const end = buffer.subarray(0, bytesRead).lastIndexOf('\n') + 1
  // A line longer than a chunk is not an action, so it is skipped.
  if (end === 0) return { lines: [], bytes: bytesRead === CHUNK_BYTES ? bytesRead : 0 }
  return { lines: buffer.toString('utf8', 0, end - 1).split('\n'), bytes: end }
}

/** Parses a line of the list; `undefined` if it is not an action. */
export function parseAction (line: string): RecordedAction | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return Value.Check(RecordedActionSchema, value) ? value : undefined
  } catch {
    // Not JSON: tierhook did not write this line.
    return undefined
  }
}
