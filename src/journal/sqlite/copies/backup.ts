import { existsSync, linkSync, renameSync, rmSync, statSync } from 'node:fs'
import { StoreError } from '../../../delivery/operator.js'
import { connect, copyDatabase } from '../binding.js'
import { codeOf, databasePath, openReadOnly } from '../database.js'
import { explainCopy } from '../explain.js'
import { checkThere } from '../operator.js'
import { verify } from '../operator/verify.js'
import { schemaVersion } from '../schema.js'
import { addSystemCause } from '../system-cause.js'
import { checkCopy, type CopyOptions } from './check-copy.js'
import { draftOf, removeDraft, sync, syncWithFolder } from './draft.js'

export interface BackupOptions extends CopyOptions {
  readonly dataDir: string
  /** The file to create. */
  readonly to: string
}

export interface BackedUp {
  readonly bytes: number
  readonly deliveries: number
  /** How many of them are damaged, both in the store and in the backup. */
  readonly damaged: number
}

/**
 * Makes a consistent copy of the database in one file, with or without a running service. Checks the copy before it gets its name. Never
 * replaces an existing file.
 * @throws {StoreError}
 */
export async function backUp ({ dataDir, to, onProgress, signal }: BackupOptions): Promise<BackedUp> {
  const path = databasePath(dataDir)
  checkThere(path, dataDir)
  if (existsSync(to)) throw fileExists(to)
  const draft = draftOf(to)
  return await explainCopy(path, to, async () => {
    try {
      await copyDatabase(path, draft, (done, of) => {
        signal?.throwIfAborted()
        onProgress?.({ phase: 'copying', done, of })
      })
      const checked = await finishDraft(draft, path, { onProgress, signal })
      sync(draft)
      takeName(draft, to)
      syncWithFolder(to)
      return { bytes: statSync(to).size, ...checked }
    } catch (error) {
      // Look for the cause before the draft is removed and its space is free again.
      throw addSystemCause(error, draft)
    } finally {
      removeDraft(draft)
    }
  })
}

async function finishDraft (draft: string, path: string, options: CopyOptions): Promise<{ readonly deliveries: number, readonly damaged: number }> {
  const db = connect(draft)
  try {
    if (schemaVersion(db) === 0) throw new StoreError('WRONG_STORE', `The database ${path} is empty: no service has run on it yet`)
    // In the service's mode (WAL), opening the file would create two more files beside it.
    db.exec('PRAGMA journal_mode = DELETE')
    const { deliveries, damaged } = await checkCopy(db, path, options)
    const ours = damaged.filter((sequence) => !isDamagedIn(path, sequence))
    if (ours.length > 0) throw new StoreError('STORE_DAMAGED', `${ours.length} deliveries in the copy are damaged that are sound in ${path}, and the copy was removed: look at the disk that it was written to`)
    return { deliveries, damaged: damaged.length }
  } finally {
    db.close()
  }
}

function isDamagedIn (path: string, sequence: number): boolean {
  const db = openReadOnly(path)
  try {
    const { damaged } = verify(db, { after: sequence - 1, limit: 1 })
    return damaged.some((each) => each.sequence === sequence)
  } finally {
    db.close()
  }
}

/** Gives the draft its final name. A link fails if the name is taken, and a rename does not; but not every file system has links. */
function takeName (draft: string, to: string): void {
  try {
    linkSync(draft, to)
    rmSync(draft)
  } catch (error) {
    if (codeOf(error) === 'EEXIST' || existsSync(to)) throw fileExists(to)
    renameSync(draft, to)
  }
}

function fileExists (to: string): StoreError {
  return new StoreError('STORE_READ_ONLY', `${to} is there already, and a backup never replaces a file: choose another name, such as one with the date`)
}
