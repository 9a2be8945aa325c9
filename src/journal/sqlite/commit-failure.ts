import { Problem } from '../../errors.js'
import { codeOf } from './database.js'
import { FILES_REPLACED } from './open-files.js'

/** What a refused sender is told to wait, in seconds. */
const RETRY_AFTER_S = 10

/** For these SQLite is sure that nothing of the transaction was committed (https://sqlite.org/rescode.html). */
const NOT_COMMITTED = ['SQLITE_FULL', 'SQLITE_READONLY', 'SQLITE_BUSY', 'SQLITE_CANTOPEN', 'SQLITE_CONSTRAINT', FILES_REPLACED]

export function refusal (detail: string, cause?: unknown): Problem {
  return new Problem('JOURNAL_UNAVAILABLE', { detail, headers: { 'retry-after': String(RETRY_AFTER_S) }, cause })
}

/** Whether a failed commit may have left its content on the disk after all: an error of the device leaves that open. */
export function mayBeOnDisk (error: unknown): boolean {
  const code = codeOf(error) ?? ''
  return !NOT_COMMITTED.some((safe) => code === safe || code.startsWith(`${safe}_`))
}

/** Whether what keeps the journal from opening may pass by itself: no room, no permission, a failing disk. */
export function isPassing (error: unknown): boolean {
  return /^(?:SQLITE_(?:FULL|READONLY|IOERR|CANTOPEN|BUSY)|ENOSPC|EDQUOT|EROFS|EACCES|EPERM|EIO|DATA_FILES_REPLACED)/.test(codeOf(error) ?? '')
}

/** What the sender is told of it. */
export function reasonOf (error: unknown): string {
  const code = codeOf(error) ?? ''
  if (code === FILES_REPLACED) return 'files of the data folder were removed or replaced while the service runs'
  if (code === 'SQLITE_FULL' || code === 'ENOSPC' || code === 'EDQUOT') return 'the disk is full'
  if (/^(?:SQLITE_READONLY|SQLITE_CANTOPEN|EROFS|EACCES|EPERM)/.test(code)) return 'the data folder cannot be written to'
  if (/^SQLITE_(?:CORRUPT|NOTADB)/.test(code)) return 'the database is damaged, and is being mended'
  return 'the disk fails'
}
