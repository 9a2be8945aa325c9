import { randomUUID } from 'node:crypto'
import { accessSync, closeSync, constants, fsyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { explainNoInodes } from '../../errors/storage-cause.js'
import { codeOf } from './database.js'

/** SQLite's errors that do not say what the operating system reported. */
const VAGUE = /^SQLITE_(?:IOERR|CANTOPEN|READONLY|PERM)/
/** As large as a page of the database. */
const TRIAL = Buffer.alloc(4096)

/**
 * Sets the system's error as the cause of a vague error of SQLite. Finds it by trying to write in the same place. If that works, the
 * error stays unchanged.
 * @param path the database, or another file that SQLite has opened in its folder
 */
export function addSystemCause (error: unknown, path: string): unknown {
  if (!(error instanceof Error) || error.cause !== undefined || !VAGUE.test(codeOf(error) ?? '')) return error
  const seen = tryToWrite(path)
  return seen === undefined ? error : Object.assign(error, { cause: seen })
}

/** Runs `work`. If it throws a vague error of SQLite, sets the system's error as its cause. */
export function withSystemCause<T> (path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw addSystemCause(error, path)
  }
}

function tryToWrite (path: string): unknown {
  const folder = dirname(path)
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK)
    // Open no file of the database: closing a file drops all locks that the process holds on it.
    for (const file of [path, `${path}-wal`, `${path}-shm`, join(folder, 'tierhook.lock')]) mayWrite(file)
    // A random name, so that it replaces no file.
    writeTrial(`${path}.trial-${randomUUID()}`)
    return undefined
  } catch (error) {
    return seenIn(folder, error)
  }
}

function mayWrite (file: string): void {
  try {
    accessSync(file, constants.R_OK | constants.W_OK)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}

/** Creates a file with content and syncs it. The file needs an inode and space, and some file systems report a lack only at the sync. */
function writeTrial (path: string): void {
  const file = openSync(path, 'wx', 0o640)
  try {
    writeSync(file, TRIAL, 0, TRIAL.byteLength, 0)
    fsyncSync(file)
  } finally {
    closeSync(file)
    rmSync(path, { force: true })
  }
}

function seenIn (folder: string, error: unknown): unknown {
  try {
    return error instanceof Error ? explainNoInodes(error, statfsSync(folder)) : error
  } catch {
    // There is no more exact reason.
    return error
  }
}
