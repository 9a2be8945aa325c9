import { dirname } from 'node:path'
import type { Forwarder } from '../../delivery/forwarder.js'
import { storageCause, tellApart } from '../../errors/storage-cause.js'
import { checkFile } from './check-file.js'
import { createEventFile, type EventFileOptions } from './event-file.js'
import { fileLines } from './file-line.js'
import { parsePosition } from './file-position.js'

export interface FileForwarderOptions extends EventFileOptions {
  readonly name: string
}

const BATCH_SIZE = 512
const TIMEOUT_MS = 60_000

/**
 * Appends one line of NDJSON for each delivery. Its position in the file is committed together with its progress, and what
 * stands in the file beyond it is cut off at the start: so each delivery stands in the file once.
 */
export function createFileForwarder ({ name, ...options }: FileForwarderOptions): Forwarder {
  const file = createEventFile(options)
  return {
    name,
    order: 'arrival',
    concurrency: 1,
    batchSize: BATCH_SIZE,
    timeoutMs: TIMEOUT_MS,
    // A disk that is full is full for every delivery alike: none of them is at fault, so none is given up.
    giveUpMs: Infinity,
    claim: file.claim,
    async start (position, context) { await file.start(parsePosition(position), context?.unfinished) },
    async forward (attempts, { signal }) {
      const position = await file.append(fileLines(attempts), signal).catch(async (error: unknown) => { throw await explain(error, options.path) })
      return { outcomes: attempts.map(() => ({ status: 'forwarded' })), position: JSON.stringify(position) }
    },
    async check () { await checkFile(options.path, { rotates: options.rotateBytes > 0 || options.keepDays > 0 }) },
    close: file.close
  }
}

/** The system's own words blame the room for inodes, and have none for a quota. */
async function explain (error: unknown, path: string): Promise<unknown> {
  const seen = await tellApart(error, dirname(path))
  const cause = storageCause(seen)
  return cause === undefined ? seen : new Error(cause.reason, { cause: seen })
}
