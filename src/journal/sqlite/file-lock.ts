import { accessSync, constants } from 'node:fs'
import { connect, type ConnectOptions, type Connection } from './binding.js'
import { codeOf } from './database.js'
import { seeCause } from './see-cause.js'

export interface FileLock {
  /** Idempotent. */
  readonly release: () => void
}

/**
 * Takes a file for this process alone, until `release` or the end of the process: the operating system lets go of it however a process ends.
 * The file has nothing in it, and nothing else may open it.
 * @returns `undefined` where another process, or another part of this one, has it
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
 * Takes SQLite's lock on a file, because node has no call for one. To close the connection lets go of it.
 * @throws SQLITE_BUSY where another process, or another part of this one, has it
 */
export function openExclusively (path: string, options: Pick<ConnectOptions, 'lockTimeoutMs'> = {}): Connection {
  let db: Connection | undefined
  try {
    db = connect(path, options)
    // SQLite opens what it may not write to for reading alone, and a lock that is taken so keeps nobody out.
    accessSync(path, constants.W_OK)
    db.exec('BEGIN EXCLUSIVE')
    return db
  } catch (error) {
    db?.close()
    throw seeCause(error, path)
  }
}
