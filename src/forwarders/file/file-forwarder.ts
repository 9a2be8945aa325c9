import { dirname } from 'node:path'
import type { Forwarder } from '../../delivery/forwarder.js'
import { storageCause, explainNoSpace } from '../../errors/storage-cause.js'
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
 * Makes a forwarder that appends one line of NDJSON per delivery. Its position in the file is committed in the same transaction as its
 * progress. At start, lines after the position are cut off, so each delivery is in the file once.
 */
export function createFileForwarder ({ name, ...options }: FileForwarderOptions): Forwarder {
  const file = createEventFile(options)
  return {
    name,
    order: 'arrival',
    concurrency: 1,
    batchSize: BATCH_SIZE,
    timeoutMs: TIMEOUT_MS,
    // A full disk fails all deliveries alike, so no delivery is given up for it.
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

/** Gives a disk error a clear message. The system's own message blames a lack of space if inodes ran out, and has none for a quota. */
async function explain (error: unknown, path: string): Promise<unknown> {
  const seen = await explainNoSpace(error, dirname(path))
  const cause = storageCause(seen)
  return cause === undefined ? seen : new Error(cause.reason, { cause: seen })
}
