import { stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { createReading } from './reading.js'

export interface DiskSpace {
  /** What others than the system's administrator may still write; `undefined` where it can't be told. */
  readonly freeBytes: () => Promise<number | undefined>
  /** What the store's files take; `undefined` where it can't be told. */
  readonly storeBytes: () => Promise<number | undefined>
}

export interface DiskSpaceOptions {
  readonly dataDir: string
  readonly monotonic: () => number
}

const FRESH_MS = 5000
/** A network's file system that is gone answers never. */
const LIMIT_MS = 1000
const DATABASE = 'tierhook.db'
const BESIDE = ['tierhook.db-wal', 'tierhook.db-shm']

/** Looks at the disk of the data folder, at most every few seconds. */
export function createDiskSpace ({ dataDir, monotonic }: DiskSpaceOptions): DiskSpace {
  const timing = { freshMs: FRESH_MS, limitMs: LIMIT_MS, monotonic }
  return {
    freeBytes: createReading({
      ...timing,
      async read () {
        const { bavail, bsize } = await statfs(dataDir)
        return bavail * bsize
      }
    }),
    storeBytes: createReading({
      ...timing,
      async read () {
        // Where the journal is in a database that replicas share, there is none here.
        const { size } = await stat(join(dataDir, DATABASE))
        // The write-ahead log is not there when nobody has the database open.
        const sizes = await Promise.all(BESIDE.map(async (name) => await stat(join(dataDir, name)).then(({ size }) => size, () => 0)))
        return sizes.reduce((sum, each) => sum + each, size)
      }
    })
  }
}
