import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { connect, type Connection } from './binding.js'
import { codeOf } from './database.js'

/** Another process serves the same data folder. */
export class DataFolderInUseError extends Error {
  override readonly name = 'DataFolderInUseError'
  readonly code = 'DATA_FOLDER_IN_USE'
}

/** The data folder cannot be made or written to: often because a volume belongs to another user. */
export class DataFolderNotWritableError extends Error {
  override readonly name = 'DataFolderNotWritableError'
  readonly code = 'DATA_FOLDER_NOT_WRITABLE'
}

/**
 * Makes the data folder where it is not there yet.
 * @throws {DataFolderNotWritableError}
 */
export async function makeDataFolder (dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true })
  } catch (error) {
    const code = codeOf(error)
    if (code !== 'EACCES' && code !== 'EPERM' && code !== 'EROFS') throw error
    throw new DataFolderNotWritableError(`The data folder ${dataDir} cannot be made (${code}). Let the user that tierhook runs as make it, or set DATA_DIR to another folder.`, { cause: error })
  }
}

/**
 * Takes the data folder for this process alone, until `release` or the end of the process: the operating system lets go
 * of the lock however a process ends. Reading beside it stays possible.
 * @throws {DataFolderInUseError}
 * @throws {DataFolderNotWritableError}
 */
export function lockDataFolder (dataDir: string): { readonly release: () => void } {
  // SQLite's lock on a file of its own, because node has no call for one.
  const db = openLock(dataDir)
  try {
    db.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    db.close()
    if (codeOf(error) === 'SQLITE_BUSY') {
      throw new DataFolderInUseError(`Another tierhook serves the data folder ${dataDir}. Stop it first, or give this one a DATA_DIR of its own.`)
    }
    throw error
  }
  let released = false
  return {
    release () {
      if (released) return
      released = true
      db.close()
    }
  }
}

function openLock (dataDir: string): Connection {
  const path = join(dataDir, 'tierhook.lock')
  try {
    return connect(path)
  } catch (error) {
    throw new DataFolderNotWritableError(`The data folder ${dataDir} cannot be written to: ${path} cannot be opened. Let the user that tierhook runs as write there, or set DATA_DIR to another folder.`, { cause: error })
  }
}

/** How long a salvage waits for those who write, and they for a salvage, in milliseconds. */
const ACCESS_TIMEOUT_MS = 5000

/**
 * Keeps the database's file in its place until `release`: what is committed to a file that a salvage has taken away meanwhile would be
 * lost. For connections that write, but for the service's own.
 * @throws SQLITE_BUSY where a salvage takes too long
 */
export function keepInPlace (dataDir: string): { readonly release: () => void } {
  return lockAccess(dataDir, 'BEGIN; SELECT count(*) FROM sqlite_master')
}

/**
 * Waits until no other process writes to the database, and keeps it so until `release`.
 * @throws SQLITE_BUSY where that takes too long
 */
export function keepOthersOut (dataDir: string): { readonly release: () => void } {
  return lockAccess(dataDir, 'BEGIN EXCLUSIVE')
}

function lockAccess (dataDir: string, take: string): { readonly release: () => void } {
  const db = connect(join(dataDir, 'tierhook.access'), { lockTimeoutMs: ACCESS_TIMEOUT_MS })
  try {
    db.exec(take)
  } catch (error) {
    db.close()
    throw error
  }
  return { release: db.close }
}

/** Whether a process serves the data folder now. */
export function isServed (dataDir: string): boolean {
  const path = join(dataDir, 'tierhook.lock')
  if (!existsSync(path)) return false
  const db = connect(path)
  try {
    // Reading is all that it takes to find out, and it is over at once: nobody is kept from taking the folder.
    db.exec('SELECT 1 FROM sqlite_master LIMIT 1')
    return false
  } catch (error) {
    if (codeOf(error) === 'SQLITE_BUSY') return true
    throw error
  } finally {
    db.close()
  }
}
