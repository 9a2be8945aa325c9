import { connect } from './binding.js'
import { codeOf } from './database.js'

export interface FileLock {
  /** Idempotent. */
  readonly release: () => void
}

/**
 * Takes a file for this process alone, until `release` or the end of the process: the operating system lets go of it however a process ends.
 * It is SQLite's lock, because node has no call for one. The file has nothing in it, and nothing else may open it.
 * @returns `undefined` where another process, or another part of this one, has it
 */
export function lockFile (path: string): FileLock | undefined {
  const db = connect(path)
  try {
    db.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    db.close()
    if (codeOf(error) === 'SQLITE_BUSY') return undefined
    throw error
  }
  return { release: db.close }
}
