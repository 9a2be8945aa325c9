import { closeSync, constants, fsyncSync, openSync } from 'node:fs'
import { lstat, open, rename, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { Value } from '@sinclair/typebox/value'
import type { Logger } from 'pino'
import { within } from '../delivery/within.js'
import { appendLines } from '../errors/append-lines.js'
import { handToOwner } from '../errors/hand-to-owner.js'
import { RecordedActionSchema, type RecordedAction } from './operator-action.js'

/** Above this it is set aside, and the one that was set aside before it is gone. */
const LARGEST_BYTES = 1_048_576
const LOOK_EVERY_MS = 2000
/** How much is read at once; a line is far shorter. */
const CHUNK_BYTES = 262_144
/** How many actions may wait for a disk that does not answer. */
const MOST_WAITING = 1000
/** How long stopping waits for such a disk. */
const LAST_LOOK_LIMIT_MS = 500
const MODE = 0o640
/** Through no link, which could lead anywhere, and waiting for nobody. */
const TO_APPEND = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK

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

export interface ActionListOptions {
  readonly dataDir: string
  readonly logger: Logger
  readonly everyMs?: number
  readonly largestBytes?: number
}

/** The service's side of the list. */
export interface ActionList {
  /** Puts an action on the list, in the background. */
  readonly add: (action: RecordedAction) => void
  /** What operators did, newest first: as far as the last of it is kept. */
  readonly recent: (limit: number) => Promise<readonly RecordedAction[]>
  /** Begins to log what commands put on the list from now on, and to keep the list from growing without end. */
  readonly start: () => void
  /** Looks a last time, if it was started. Idempotent. */
  readonly close: () => Promise<void>
}

/** How far a file was read. */
interface Place {
  readonly inode: number
  readonly offset: number
}

export function createActionList ({ dataDir, logger, everyMs = LOOK_EVERY_MS, largestBytes = LARGEST_BYTES }: ActionListOptions): ActionList {
  const path = actionListPath(dataDir)
  const olderPath = olderActionListPath(dataDir)
  let place: Place | undefined
  /** What was set aside may still be written to by a command that has just opened it. */
  let older: Place | undefined
  let timer: NodeJS.Timeout | undefined
  let started = false
  let notKept = false
  let notRead = false
  let waiting = 0
  /** Never two at once: what adds, what looks and what sets aside. It never rejects. */
  let last: Promise<void> = Promise.resolve()
  let closing: Promise<void> | undefined

  async function append (action: RecordedAction): Promise<void> {
    try {
      const file = await open(path, TO_APPEND, MODE)
      try {
        // What failed, here or in a command, may have left a part of a line.
        await file.appendFile(await endsTorn(file) ? `\n${lineOf(action)}` : lineOf(action))
      } finally {
        await file.close()
      }
      notKept = false
    } catch (error) {
      tellNotKept(error)
    }
  }

  function tellNotKept (error: unknown): void {
    if (!notKept) logger.error({ err: error, path }, 'operator actions not kept')
    notKept = true
  }

  async function lookSafely (): Promise<void> {
    try {
      await look()
      notRead = false
    } catch (error) {
      if (!notRead) logger.error({ err: error, path }, 'operator actions of commands not read')
      notRead = true
    }
  }

  async function look (): Promise<void> {
    if (older !== undefined) {
      await readOn(olderPath, older)
      older = undefined
    }
    const found = await placeAtEnd(path)
    if (found === undefined || found.inode !== place?.inode) place = found === undefined ? undefined : { ...found, offset: 0 }
    if (found === undefined || place === undefined) return
    // Somebody has cut it.
    if (found.offset < place.offset) place = found
    if (found.offset > place.offset) place = await readOn(path, place)
    if (place.offset < largestBytes) return
    await rename(path, olderPath)
    older = place
    place = undefined
  }

  /** Logs the whole lines from there on; resolves with how far that is. */
  async function readOn (file: string, from: Place): Promise<Place> {
    const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW)
    try {
      let { offset } = from
      for (;;) {
        const { lines, bytes } = await readLines(handle, offset)
        if (bytes === 0) return { ...from, offset }
        offset += bytes
        for (const line of lines) tell(line)
      }
    } finally {
      await handle.close()
    }
  }

  function tell (line: string): void {
    const action = parse(line)
    // What this service did is in the log already.
    if (action?.via === 'command') logger.info(action, 'operator action')
  }

  return {
    add (action) {
      if (waiting >= MOST_WAITING) {
        tellNotKept(new Error('The disk does not answer'))
        return
      }
      waiting++
      last = last.then(async () => {
        await append(action)
        waiting--
      })
    },

    async recent (limit) {
      // What is being written is on the list.
      await last
      const lines = [...await readEnd(path), ...await readEnd(olderPath)]
      return lines.flatMap((line) => parse(line) ?? []).slice(0, limit)
    },

    start () {
      if (started) return
      started = true
      last = last.then(async () => { place = await placeAtEnd(path).catch(() => undefined) })
      const again = (): void => {
        timer = setTimeout(() => {
          last = last.then(lookSafely).then(() => { if (closing === undefined) again() })
        }, everyMs)
      }
      again()
    },

    async close () {
      closing ??= (async () => {
        clearTimeout(timer)
        await within(LAST_LOOK_LIMIT_MS, started ? last.then(lookSafely) : last)
      })()
      await closing
    }
  }
}

function lineOf (action: RecordedAction): string {
  return `${JSON.stringify(action)}\n`
}

async function endsTorn (file: FileHandle): Promise<boolean> {
  const { size } = await file.stat()
  return size > 0 && (await file.read(Buffer.alloc(1), 0, 1, size - 1)).buffer.toString() !== '\n'
}

async function placeAtEnd (path: string): Promise<Place | undefined> {
  try {
    const found = await lstat(path)
    return found.isFile() ? { inode: found.ino, offset: found.size } : undefined
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** The last lines of a file, the last one first; none where it is not there. */
async function readEnd (path: string): Promise<readonly string[]> {
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
async function readLines (file: FileHandle, from: number): Promise<{ readonly lines: readonly string[], readonly bytes: number }> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, from)
  const end = buffer.subarray(0, bytesRead).lastIndexOf('\n') + 1
  // A line that is longer than a part is none of ours.
  if (end === 0) return { lines: [], bytes: bytesRead === CHUNK_BYTES ? bytesRead : 0 }
  return { lines: buffer.toString('utf8', 0, end - 1).split('\n'), bytes: end }
}

function parse (line: string): RecordedAction | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return Value.Check(RecordedActionSchema, value) ? value : undefined
  } catch {
    // Not written by us.
    return undefined
  }
}
