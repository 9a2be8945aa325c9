import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { createFileForwarder } from '../../src/forwarders/file/file-forwarder.js'
import { fileLines } from '../../src/forwarders/file/file-line.js'
import { createBacklog, deliveryAt, timed, type Backlog } from '../backlog.js'
import { serveParent } from '../child.js'
import { logger, type SharedPlace } from '../journal.js'
import type { Run } from '../measure.js'

export type DrainMode = 'plain append' | 'pump'

export interface DrainOptions {
  readonly mode: DrainMode
  /** An empty folder for the journal and the file. */
  readonly folder: string
  /** Where the journal is, if it is not in the folder. */
  readonly place?: SharedPlace | undefined
}

/** How many lines are written and synced at once. */
const BATCH = 512
/** The most runs of one process. */
const MOST_FILES = 100

const lines: Buffer[] = []
let options: DrainOptions | undefined
let backlog: Backlog | undefined
let files = 0

const nameOf = (file: number): string => `file-${file}`

/** The baseline: the shortest code that writes the same bytes to disk. */
async function append (path: string, batches: readonly Buffer[]): Promise<void> {
  const file = await open(path, 'a')
  for (const batch of batches) {
    await file.write(batch)
    await file.datasync()
  }
  await file.close()
}

const api = {
  open (given: DrainOptions): void {
    options = given
    backlog = given.mode === 'pump' ? createBacklog(given.place ?? { kind: 'sqlite', folder: given.folder }, Array.from({ length: MOST_FILES }, (_each, index) => nameOf(index + 1))) : undefined
  },

  async run (events: number): Promise<Run> {
    if (options === undefined) throw new Error('The drain is not open')
    const path = join(options.folder, `${++files}.ndjson`)
    if (backlog !== undefined) {
      return await backlog.drainTo(createFileForwarder({ name: nameOf(files), path, rotateBytes: 0, keepDays: 0, now: Date.now, logger }), events)
    }
    while (lines.length < events) lines.push(fileLines([{ delivery: deliveryAt(lines.length), number: 1, replay: false }]))
    const batches = Array.from({ length: Math.ceil(events / BATCH) }, (_each, index) => Buffer.concat(lines.slice(index * BATCH, Math.min(events, (index + 1) * BATCH))))
    return await timed(events, async () => { await append(path, batches) })
  }
}

export type DrainApi = typeof api

serveParent(api)
