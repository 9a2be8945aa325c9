import { stat } from 'node:fs/promises'
import type { Logger } from 'pino'
import { WAL_LIMIT_BYTES } from './database.js'

/** The size of the write-ahead log at which the operator is warned, in bytes. A busy service alone keeps it shorter. */
const WARN_BYTES = 4 * WAL_LIMIT_BYTES

/**
 * Warns of a write-ahead log that keeps growing, once until it is short again. SQLite cannot reuse the log while a connection still reads
 * an old snapshot from it. Retention does not limit the log, so in the end it fills the disk.
 */
export function createLogWatch (path: string, logger: Logger): { readonly look: () => Promise<void> } {
  let told = false
  return {
    async look () {
      // A log that does not exist takes no space.
      const { size } = await stat(`${path}-wal`).catch(() => ({ size: 0 }))
      if (!told && size >= WARN_BYTES) {
        told = true
        const advice = 'a program has been reading the database for long, and the log grows until that program ends. A backup and "tierhook verify --full" end by themselves. To find other programs, such as a sqlite3 with an open transaction, run "fuser tierhook.db" in the data folder'
        logger.warn({ bytes: size, advice }, 'write-ahead log grows')
      } else if (told && size <= WAL_LIMIT_BYTES) {
        told = false
        logger.info({ bytes: size }, 'write-ahead log short again')
      }
    }
  }
}
