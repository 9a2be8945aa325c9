import { constants } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import type { Logger } from 'pino'
import { within } from '../delivery/within.js'
import { actionListPath, appendAction, olderActionListPath, parseAction, endOfFile, readEnd, readLines, type Place } from './action-list-file.js'
import type { RecordedAction } from './operator-action.js'

/** At this size the list is renamed to the older part, which replaces the previous older part. */
const LARGEST_BYTES = 1_048_576
const LOOK_EVERY_MS = 2000
/** How many actions may wait for a disk that does not respond. */
const MAX_WAITING = 1000
/** How long `close` waits for a disk that does not respond. */
const LAST_LOOK_LIMIT_MS = 500
export interface ActionListOptions {
  readonly dataDir: string
  readonly logger: Logger
  readonly everyMs?: number
  readonly largestBytes?: number
}

/** The service's side of the action list. */
export interface ActionList {
  /** Appends an action in the background. */
  readonly add: (action: RecordedAction) => void
  /** Returns the newest actions first, from the current list and the older part. */
  readonly recent: (limit: number) => Promise<readonly RecordedAction[]>
  /** Starts logging the actions that commands append from now on, and limits the size of the list. */
  readonly start: () => void
  /** Reads the list a last time, if it was started. Idempotent. */
  readonly close: () => Promise<void>
}

export function createActionList ({ dataDir, logger, everyMs = LOOK_EVERY_MS, largestBytes = LARGEST_BYTES }: ActionListOptions): ActionList {
  const path = actionListPath(dataDir)
  const olderPath = olderActionListPath(dataDir)
  let place: Place | undefined
  /** Where reading stopped in the older part. A command that opened the file before the rename may still append to it. */
  let older: Place | undefined
  let timer: NodeJS.Timeout | undefined
  let started = false
  let notKept = false
  let notRead = false
  let waiting = 0
  /** Runs appends, reads and renames one after another. Never rejects. */
  let last: Promise<void> = Promise.resolve()
  let closing: Promise<void> | undefined

  async function append (action: RecordedAction): Promise<void> {
    try {
      await appendAction(path, action)
      notKept = false
    } catch (error) {
      reportNotKept(error)
    }
  }

  function reportNotKept (error: unknown): void {
    if (!notKept) logger.error({ err: error, path }, 'operator actions not kept')
    notKept = true
  }

  async function pollSafely (): Promise<void> {
    try {
      await poll()
      notRead = false
    } catch (error) {
      if (!notRead) logger.error({ err: error, path }, 'operator actions of commands not read')
      notRead = true
    }
  }

  async function poll (): Promise<void> {
    if (older !== undefined) {
      await readOn(olderPath, older)
      older = undefined
    }
    const found = await endOfFile(path)
    if (found === undefined || found.inode !== place?.inode) place = found === undefined ? undefined : { ...found, offset: 0 }
    if (found === undefined || place === undefined) return
    // The file was truncated.
    if (found.offset < place.offset) place = found
    if (found.offset > place.offset) place = await readOn(path, place)
    if (place.offset < largestBytes) return
    await rename(path, olderPath)
    older = place
    place = undefined
  }

  /** Logs the actions of the complete lines after `from`. Resolves with the new position. */
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
    const action = parseAction(line)
    // The service's own actions are in the log already.
    if (action?.via === 'command') logger.info(action, 'operator action')
  }

  return {
    add (action) {
      if (waiting >= MAX_WAITING) {
        reportNotKept(new Error('The disk does not answer'))
        return
      }
      waiting++
      last = last.then(async () => {
        await append(action)
        waiting--
      })
    },

    async recent (limit) {
      // Wait for pending appends, so that the answer includes them.
      await last
      const lines = [...await readEnd(path), ...await readEnd(olderPath)]
      return lines.flatMap((line) => parseAction(line) ?? []).slice(0, limit)
    },

    start () {
      if (started) return
      started = true
      last = last.then(async () => { place = await endOfFile(path).catch(() => undefined) })
      const again = (): void => {
        timer = setTimeout(() => {
          last = last.then(pollSafely).then(() => { if (closing === undefined) again() })
        }, everyMs)
      }
      again()
    },

    async close () {
      closing ??= (async () => {
        clearTimeout(timer)
        await within(LAST_LOOK_LIMIT_MS, started ? last.then(pollSafely) : last)
      })()
      await closing
    }
  }
}
