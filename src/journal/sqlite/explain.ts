import { dirname } from 'node:path'
import { StoreError } from '../../delivery/operator.js'
import { isForbidden, storageCause, storageReason, explainNoSpace } from '../../errors/storage-cause.js'
import { codeOf, openReadOnly } from './database.js'
import { isSchemaWhole, WrongDatabaseError } from './schema.js'
import { addSystemCause } from './system-cause.js'

/** Runs `work`. Turns SQLite's errors into ones that tell the user of a command what they mean and what to do. */
export function explained<T> (path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    const code = codeOf(error) ?? ''
    const known = explainKnown(error, path)
    if (known !== undefined) throw known
    if (/^SQLITE_(?:CORRUPT|NOTADB)/.test(code) || (code === 'SQLITE_ERROR' && !isDefinedWhole(path))) {
      throw new StoreError('STORE_DAMAGED', `The database ${path} is damaged (${code}): at its next start, or when it meets the damage, the service sets it aside and takes over what can be read; "tierhook verify" tells what cannot`, error)
    }
    const seen = addSystemCause(error, path)
    const cause = storageCause(seen)
    if (cause === undefined) throw error
    const advice = isForbidden(seen) ? 'run as the user that the service runs as' : cause.advice
    throw new StoreError('STORE_READ_ONLY', `The database ${path} cannot be used for this (${code}), because ${cause.reason}: ${advice}`, seen)
  }
}

/** The same for copying the database `from` to `to`. */
export async function explainCopy<T> (from: string, to: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const code = codeOf(error) ?? ''
    const known = explainKnown(error, from)
    if (known !== undefined) throw known
    if (/^SQLITE_(?:CORRUPT|NOTADB)/.test(code)) {
      throw new StoreError('STORE_DAMAGED', `The database ${from} is damaged (${code}), and was not copied: "tierhook verify --full" tells more`, error)
    }
    const seen = await explainNoSpace(addSystemCause(error, to), dirname(to))
    const cause = storageCause(seen)
    if (cause === undefined) throw error
    // If the target can be written to, the source is the problem. Reading a database that is in use needs two files beside it.
    if (seen instanceof Error && seen.cause === undefined && /^SQLITE_(?:CANTOPEN|READONLY|IOERR)/.test(code)) {
      const atSource = addSystemCause(error, from)
      const advice = seen.cause === undefined || isForbidden(atSource)
        ? 'look for the file and for the rights of the user that runs this'
        : `${storageReason(atSource)}, and to read it takes two files beside it. Copy it and its -wal, while no service runs, to a folder that can be written to, and use that`
      if (seen.cause !== undefined || !code.startsWith('SQLITE_IOERR')) throw new StoreError('STORE_READ_ONLY', `${from} cannot be read (${code}): ${advice}`, atSource)
    }
    throw new StoreError('STORE_READ_ONLY', `${to} cannot be written (${code}): ${cause.reason}`, seen)
  }
}

/** Explains the errors that mean the same for every operation. Returns `undefined` for others. */
function explainKnown (error: unknown, path: string): StoreError | undefined {
  if (error instanceof StoreError) return error
  if (error instanceof WrongDatabaseError) return new StoreError('WRONG_STORE', error.message, error)
  if (!/^SQLITE_(?:BUSY|LOCKED)/.test(codeOf(error) ?? '')) return undefined
  return new StoreError('STORE_BUSY', `The database ${path} is in use by another process for longer than this waits: try again`, error)
}

/** Whether the schema is complete. Correct SQL fails if the definition of a table is damaged. If all definitions are sound, the SQL is wrong. */
function isDefinedWhole (path: string): boolean {
  const db = openReadOnly(path)
  try {
    return isSchemaWhole(db)
  } finally {
    db.close()
  }
}
