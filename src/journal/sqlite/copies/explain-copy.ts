import { StoreError } from '../../../delivery/operator.js'
import { codeOf } from '../database.js'
import { WrongDatabaseError } from '../schema.js'

/** Says what an error means to whoever copies the database in `from` to `to`, and what to do. */
export async function explainCopy<T> (from: string, to: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof WrongDatabaseError) throw new StoreError('WRONG_STORE', error.message, error)
    const code = codeOf(error) ?? ''
    if (code.startsWith('SQLITE_BUSY')) throw new StoreError('STORE_BUSY', `The database ${from} is in use by another process for longer than this waits: try again`, error)
    if (/^SQLITE_(?:CORRUPT|NOTADB)/.test(code)) {
      throw new StoreError('STORE_DAMAGED', `The database ${from} is damaged (${code}), and was not copied: "tierhook verify --full" tells more`, error)
    }
    if (/^(?:SQLITE_FULL|SQLITE_IOERR|ENOSPC|EDQUOT|EIO)/.test(code)) {
      throw new StoreError('STORE_READ_ONLY', `${to} cannot be written (${code}): look for room and for the health of its disk`, error)
    }
    if (/^(?:SQLITE_CANTOPEN|SQLITE_READONLY|SQLITE_PERM|ENOENT|ENOTDIR|EACCES|EPERM|EROFS)/.test(code)) {
      throw new StoreError('STORE_READ_ONLY', `${from} cannot be read, or ${to} cannot be written (${code}): look for the folder and for the rights of the user that runs this`, error)
    }
    throw error
  }
}
