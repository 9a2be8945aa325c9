import { randomUUID } from 'node:crypto'
import { accessSync, closeSync, constants, fsyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { tellNoInodes } from '../../errors/storage-cause.js'
import { codeOf } from './database.js'

/** For these SQLite keeps what the system said to itself. */
const VAGUE = /^SQLITE_(?:IOERR|CANTOPEN|READONLY|PERM)/
/** A page of the database. */
const TRIAL = Buffer.alloc(4096)

/**
 * Gives a vague error of SQLite the system's error as its cause, which is found by trying the same again. Where that works, nothing was seen,
 * and the error stays as it is.
 * @param path the database's, or another file's that SQLite has beside it
 */
export function seeCause (error: unknown, path: string): unknown {
  if (!(error instanceof Error) || error.cause !== undefined || !VAGUE.test(codeOf(error) ?? '')) return error
  const seen = tryToWrite(path)
  return seen === undefined ? error : Object.assign(error, { cause: seen })
}

/** Runs `work`; what it throws has the system's error as its cause. */
export function seeingCause<T> (path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw seeCause(error, path)
  }
}

function tryToWrite (path: string): unknown {
  const folder = dirname(path)
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK)
    // Nothing of the database is opened: to close a file drops all locks that the process has on it.
    for (const file of [path, `${path}-wal`, `${path}-shm`, join(folder, 'tierhook.lock')]) mayWrite(file)
    // Under a name that nobody has.
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

/** A new file takes an inode, its content takes room, and some file systems say only at the sync that they have none. */
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
    return error instanceof Error ? tellNoInodes(error, statfsSync(folder)) : error
  } catch {
    // It can't be told more exactly.
    return error
  }
}
