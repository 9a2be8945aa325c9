import { closeSync, constants, fsyncSync, openSync } from 'node:fs'
import { lstat, open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { Value } from '@sinclair/typebox/value'
import { appendLines, appendLinesLater } from '../errors/append-lines.js'
import { handToOwner } from '../errors/hand-to-owner.js'
import { RecordedActionSchema, type RecordedAction } from './operator-action.js'

/** How much is read at once; a line is far shorter. */
const CHUNK_BYTES = 262_144
const MODE = 0o640
/** Through no link, which could lead anywhere, and waiting for nobody. */
const TO_APPEND = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** How far a file was read. */
export interface Place {
  readonly inode: number
  readonly offset: number
}

/** The list of what operators did, one JSON object a line. */
export function actionListPath (dataDir: string): string {
  return join(dataDir, 'operator-actions.ndjson')
}

/** The part of the list that was set aside. */
export function olderActionListPath (dataDir: string): string {
  return join(dataDir, 'operator-actions.old.ndjson')
}

/**
 * Puts an action on the list, on disk before it returns: for a command.
 * @throws where the file can't be written
 */
export function addToActionList (dataDir: string, action: RecordedAction): void {
  const file = openSync(actionListPath(dataDir), TO_APPEND, MODE)
  try {
    handToOwner(file, dataDir)
    appendLines(file, lineOf(action))
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Puts an action on the list: for the service. */
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

/** The end of a file as it is now; `undefined` where there is none, or it is no file. */
export async function placeAtEnd (path: string): Promise<Place | undefined> {
  try {
    const found = await lstat(path)
    return found.isFile() ? { inode: found.ino, offset: found.size } : undefined
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** The last lines of a file, the last one first; none where it is not there. */
export async function readEnd (path: string): Promise<readonly string[]> {
  const end = await placeAtEnd(path)
  if (end === undefined) return []
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const from = Math.max(0, end.offset - CHUNK_BYTES)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, from)
    // The first one may have been cut in two; then it is no JSON.
    return buffer.toString('utf8', 0, bytesRead).split('\n').reverse()
  } finally {
    await file.close()
  }
}

/** The whole lines in the next part of a file, and how long they are. */
export async function readLines (file: FileHandle, from: number): Promise<{ readonly lines: readonly string[], readonly bytes: number }> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, from)
  const end = buffer.subarray(0, bytesRead).lastIndexOf('\n') + 1
  // A line that is longer than a part is none of ours.
  if (end === 0) return { lines: [], bytes: bytesRead === CHUNK_BYTES ? bytesRead : 0 }
  return { lines: buffer.toString('utf8', 0, end - 1).split('\n'), bytes: end }
}

/** What a line of the list says; `undefined` where it is none of ours. */
export function parseAction (line: string): RecordedAction | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return Value.Check(RecordedActionSchema, value) ? value : undefined
  } catch {
    // Not written by us.
    return undefined
  }
}
