import { accessSync, constants } from 'node:fs'
import { connect, type ConnectOptions, type Connection } from './binding.js'
import { codeOf } from './database.js'
import { addSystemCause } from './system-cause.js'

export interface FileLock {
  /** Idempotent. */
  readonly release: () => void
}

/**
 * Locks a file for this process, until `release` or the end of the process: the operating system releases the lock however a process
 * ends. The file is empty, and nothing else may open it.
 * @returns `undefined` if another process, or another part of this one, holds the lock
 */
export function lockFile (path: string): FileLock | undefined {
  try {
    return { release: openExclusively(path).close }
  } catch (error) {
    if (codeOf(error) === 'SQLITE_BUSY') return undefined
    throw error
  }
}

/**
 * Takes SQLite's lock on a file, because Node.js has no call for one. Closing the connection releases it.
 * @throws SQLITE_BUSY if another process, or another part of this one, holds the lock
 */
export function openExclusively (path: string, options: Pick<ConnectOptions, 'lockTimeoutMs'> = {}): Connection {
  let db: Connection | undefined
  try {
    db = connect(path, options)
    // SQLite opens a file without write permission as read-only, and a lock on that keeps no other process out.
    accessSync(path, constants.W_OK)
    db.exec('BEGIN EXCLUSIVE')
    return db
  } catch (error) {
    db?.close()
    throw addSystemCause(error, path)
  }
}
