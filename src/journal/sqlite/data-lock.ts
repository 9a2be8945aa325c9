import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { makeOwnersFile } from '../../errors/hand-to-owner.js'
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

/** The data folder cannot be made or written to, and will not be before somebody has changed something: often a volume belongs to another user. */
export class DataFolderNotWritableError extends Error {
  override readonly name = 'DataFolderNotWritableError'
  readonly code = 'DATA_FOLDER_NOT_WRITABLE'
}

/** What is in the way of a data folder that cannot be made, by the system's code; all others may pass by themselves. */
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
 * Makes the data folder where it is not there yet.
 * @throws {DataFolderNotWritableError} where that will not pass by itself
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

/** Says which folder it is, where an error comes from this process not being allowed to write there; any other error is returned as it is. */
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
 * Takes the data folder for this process alone, until `release` or the end of the process: the operating system lets go
 * of the lock however a process ends. Reading beside it stays possible.
 * @throws {DataFolderInUseError}
 * @throws {DataFolderNotWritableError} where that will not pass by itself
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

/** How long a salvage waits for those who write, and they for a salvage, in milliseconds. */
const ACCESS_TIMEOUT_MS = 5000

/**
 * Keeps the database's file in its place until `release`: what is committed to a file that a salvage has taken away meanwhile would be
 * lost. For connections that write, but for the service's own.
 * @throws SQLITE_BUSY where a salvage takes too long
 */
export function keepInPlace (dataDir: string): { readonly release: () => void } {
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
 * Waits until no other process writes to the database, and keeps it so until `release`.
 * @throws SQLITE_BUSY where that takes too long
 */
export function keepOthersOut (dataDir: string): { readonly release: () => void } {
  const { close } = openExclusively(accessFile(dataDir), { lockTimeoutMs: ACCESS_TIMEOUT_MS })
  return { release: close }
}

/** The file by which those who write and a salvage wait for each other. */
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
