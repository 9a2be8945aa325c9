import { statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { codeOf } from './database.js'

/** The code of a `FilesReplacedError`. An error from another thread keeps its code, but not its class. */
export const FILES_REPLACED = 'DATA_FILES_REPLACED'

/** A file that the service has open is not the file that has its name now. Data written to it is lost after a restart. */
export class FilesReplacedError extends Error {
  override readonly name = 'FilesReplacedError'
  readonly code = FILES_REPLACED
}

/**
 * Remembers the files of a database, and the lock of its folder, by device and inode. Never opens them, because closing a file drops all
 * locks that the process holds on it.
 * @param path the database, which a connection has open
 * @returns a function that throws a `FilesReplacedError` if one of the files was removed or replaced
 */
export function rememberOpenFiles (path: string): () => void {
  const lock = join(dirname(path), 'tierhook.lock')
  const files = [path, `${path}-wal`, `${path}-shm`, lock].map((file) => ({ file, opened: identityOf(file) })).filter(({ opened }) => opened !== undefined)
  return () => {
    for (const { file, opened } of files) {
      const found = identityOf(file)
      // If only the lock file is gone, the folder still belongs to this service. Another lock file in its place belongs to another service.
      if (found === opened || (file === lock && found === undefined)) continue
      throw new FilesReplacedError(`${basename(file)} in ${dirname(file)} was ${found === undefined ? 'removed' : 'replaced'} while the service has it open. What it accepted would be lost, so webhooks are answered 503. ` +
        'Put the same files back where they were (moved, not copied), or stop the service, look at its data folder, and start it again.')
    }
  }
}

/** Device and inode of a file; `undefined` if there is no file. */
export function identityOf (file: string): string | undefined {
  try {
    const { dev, ino } = statSync(file, { bigint: true })
    return `${dev}:${ino}`
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}
