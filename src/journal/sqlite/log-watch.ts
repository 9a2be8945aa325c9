import { stat } from 'node:fs/promises'
import type { Logger } from 'pino'
import { WAL_LIMIT_BYTES } from './database.js'

/** A write-ahead log of this size is told of: a busy service alone keeps it shorter, in bytes. */
const TOLD_BYTES = 4 * WAL_LIMIT_BYTES

/**
 * Tells of a write-ahead log that grows and grows, once until it is short again. It cannot begin anew while somebody reads what stood in it first, and in the
 * end it fills the disk: no retention bounds it.
 */
export function createLogWatch (path: string, logger: Logger): { readonly look: () => Promise<void> } {
  let told = false
  return {
    async look () {
      // Where there is none it takes no room.
      const { size } = await stat(`${path}-wal`).catch(() => ({ size: 0 }))
      if (!told && size >= TOLD_BYTES) {
        told = true
        const advice = 'a program has been reading the database for long, and the log grows until it ends: a backup ends by itself, and so does "tierhook verify --full"; "fuser tierhook.db" in the data folder tells of others, such as a sqlite3 with an open transaction'
        logger.warn({ bytes: size, advice }, 'write-ahead log grows')
      } else if (told && size <= WAL_LIMIT_BYTES) {
        told = false
        logger.info({ bytes: size }, 'write-ahead log short again')
      }
    }
  }
}
