import { stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { createCachedRead } from './cached-read.js'

export interface DiskSpace {
  /** The bytes that users other than root may still write; `undefined` if unknown. */
  readonly freeBytes: () => Promise<number | undefined>
  /** The bytes that the store's files use; `undefined` if unknown. */
  readonly storeBytes: () => Promise<number | undefined>
}

export interface DiskSpaceOptions {
  readonly dataDir: string
  readonly monotonic: () => number
}

const FRESH_MS = 5000
/** A network file system that is gone never answers. */
const LIMIT_MS = 1000
const DATABASE = 'tierhook.db'
const BESIDE = ['tierhook.db-wal', 'tierhook.db-shm']

/** Reads the disk space of the data folder, at most every few seconds. */
export function createDiskSpace ({ dataDir, monotonic }: DiskSpaceOptions): DiskSpace {
  const timing = { freshMs: FRESH_MS, limitMs: LIMIT_MS, monotonic }
  return {
    freeBytes: createCachedRead({
      ...timing,
      async read () {
        const { bavail, bsize } = await statfs(dataDir)
        return bavail * bsize
      }
    }),
    storeBytes: createCachedRead({
      ...timing,
      async read () {
        // Rejects if the journal is in a shared database, because then there is no such file. The size is unknown then.
        const { size } = await stat(join(dataDir, DATABASE))
        // These files do not exist while no connection to the database is open.
        const sizes = await Promise.all(BESIDE.map(async (name) => await stat(join(dataDir, name)).then(({ size }) => size, () => 0)))
        return sizes.reduce((sum, each) => sum + each, size)
      }
    })
  }
}
