import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { makeOwnersFile } from '../../errors/give-to-folder-owner.js'
import { makeFolder } from '../../errors/make-folder.js'
import { isForbidden } from '../../errors/storage-cause.js'
import { connect } from './binding.js'
import { codeOf } from './database.js'
import { openExclusively } from './file-lock.js'

/** Another process serves the same data folder. */
export class DataFolderInUseError extends Error {
  override readonly name = 'DataFolderInUseError'
  readonly code = 'DATA_FOLDER_IN_USE'
}

/** The data folder cannot be created or written to until an operator changes something. Often a volume belongs to another user. */
export class DataFolderNotWritableError extends Error {
  override readonly name = 'DataFolderNotWritableError'
  readonly code = 'DATA_FOLDER_NOT_WRITABLE'
}

/** Why a data folder cannot be created, by the system's error code. All other errors may pass by themselves. */
const NEVER_MADE: Readonly<Record<string, string>> = {
  EACCES: 'the user that tierhook runs as may not. Let that user make it, or set DATA_DIR to another folder.',
  EPERM: 'the user that tierhook runs as may not. Let that user make it, or set DATA_DIR to another folder.',
  EEXIST: 'there is a file in its place, or a link that leads nowhere. Move that away, or set DATA_DIR to another folder.',
  ENOTDIR: 'a part of its path is a file. Move that away, or set DATA_DIR to another folder.',
  ENOENT: 'the file system there takes no folders. Set DATA_DIR to another folder.',
  ELOOP: 'its path leads through links in a circle. Mend them, or set DATA_DIR to another folder.',
  ENAMETOOLONG: 'its path is too long. Set DATA_DIR to another folder.'
}

/**
 * Creates the data folder if it does not exist.
 * @throws {DataFolderNotWritableError} if the cause will not pass by itself
 */
export async function makeDataFolder (dataDir: string): Promise<void> {
  try {
    await makeFolder(dataDir)
  } catch (error) {
    const why = NEVER_MADE[codeOf(error) ?? '']
    if (why === undefined) throw error
    throw new DataFolderNotWritableError(`The data folder ${dataDir} cannot be made (${codeOf(error)}): ${why}`, { cause: error })
  }
}

/** Names the data folder in an error that says that this process may not write there. Returns any other error unchanged. */
export function explainForbidden (error: unknown, dataDir: string): unknown {
  if (error instanceof DataFolderNotWritableError || !isForbidden(error)) return error
  return notWritable(dataDir, innermost(error), error)
}

function notWritable (dataDir: string, what: string, cause: unknown): DataFolderNotWritableError {
  return new DataFolderNotWritableError(`The data folder ${dataDir} cannot be written to: ${what}. Let the user that tierhook runs as write there, or set DATA_DIR to another folder.`, { cause })
}

function innermost (error: unknown): string {
  let text = ''
  for (let current = error; current instanceof Error; current = current.cause) text = current.message
  return text
}

/**
 * Locks the data folder for this process, until `release` or the end of the process: the operating system releases the lock however a
 * process ends. Other processes may still read the folder.
 * @throws {DataFolderInUseError}
 * @throws {DataFolderNotWritableError} if the cause will not pass by itself
 */
export function lockDataFolder (dataDir: string): { readonly release: () => void } {
  const path = join(dataDir, 'tierhook.lock')
  makeOwnersFile(path)
  try {
    const { close } = openExclusively(path)
    return { release: close }
  } catch (error) {
    const code = codeOf(error) ?? ''
    if (code === 'SQLITE_BUSY') {
      throw new DataFolderInUseError(`Another tierhook serves the data folder ${dataDir}. Stop it first, or give this one a DATA_DIR of its own.`)
    }
    if (code === 'SQLITE_CANTOPEN' && error instanceof Error && error.cause === undefined) throw notWritable(dataDir, `${path} cannot be opened`, error)
    throw explainForbidden(error, dataDir)
  }
}

/** How long a salvage waits for other writers, and they for a salvage, in milliseconds. */
const ACCESS_TIMEOUT_MS = 5000

/**
 * Keeps the database's file in its place until `release`: commits to a file that a salvage has replaced would be lost. For all
 * connections that write, except the service's own.
 * @throws SQLITE_BUSY if a salvage takes too long
 */
export function lockForWriting (dataDir: string): { readonly release: () => void } {
  const db = connect(accessFile(dataDir), { lockTimeoutMs: ACCESS_TIMEOUT_MS })
  try {
    db.exec('BEGIN; SELECT count(*) FROM sqlite_master')
  } catch (error) {
    db.close()
    throw error
  }
  return { release: db.close }
}

/**
 * Waits until no other process writes to the database, and keeps other writers out until `release`.
 * @throws SQLITE_BUSY if that takes too long
 */
export function lockForSalvage (dataDir: string): { readonly release: () => void } {
  const { close } = openExclusively(accessFile(dataDir), { lockTimeoutMs: ACCESS_TIMEOUT_MS })
  return { release: close }
}

/** The file that writers and a salvage lock to wait for each other. */
function accessFile (dataDir: string): string {
  const path = join(dataDir, 'tierhook.access')
  makeOwnersFile(path)
  return path
}

/** Whether a process serves the data folder now. */
export function isServed (dataDir: string): boolean {
  const path = join(dataDir, 'tierhook.lock')
  if (!existsSync(path)) return false
  const db = connect(path)
  try {
    // A short read is enough to find out. It keeps no process from locking the folder.
    db.exec('SELECT 1 FROM sqlite_master LIMIT 1')
    return false
  } catch (error) {
    if (codeOf(error) === 'SQLITE_BUSY') return true
    throw error
  } finally {
    db.close()
  }
}
