import { existsSync, readdirSync, renameSync, statSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { StoreError } from '../../../delivery/operator.js'
import type { Person } from '../../../delivery/operator-requests.js'
import { makeOwnersFile } from '../../../errors/give-to-folder-owner.js'
import { copyDatabase } from '../binding.js'
import { DataFolderInUseError, DataFolderNotWritableError, lockDataFolder, makeDataFolder } from '../data-lock.js'
import { checkpointAndClose, databasePath, openForWriting, vacuum, type Connection } from '../database.js'
import { erase } from '../erase/erase.js'
import { erasuresPath, readErasures, rememberErasures } from '../erase/erasures-file.js'
import { explainCopy } from '../explain.js'
import { forwarders } from '../operator/forwarders.js'
import { assess } from '../salvage/assess.js'
import { migrate } from '../schema.js'
import { addSystemCause } from '../system-cause.js'
import { checkCopy, type CopyOptions } from './check-copy.js'
import { draftOf, removeDraft, sync, syncWithFolder } from './draft.js'

/** Deliveries per transaction. */
const ERASED_AT_ONCE = 500

export interface RestoreOptions extends CopyOptions {
  readonly from: string
  readonly dataDir: string
  /** A list of erased people, in addition to that of the data folder. */
  readonly erasures?: string | undefined
}

export interface Restored {
  readonly deliveries: number
  /** How many of them are damaged, both in the backup and now in the store. */
  readonly damaged: number
  /** How many were erased again, because they name a person on the list of erased people. */
  readonly erased: number
  /** When the newest delivery was received, in milliseconds since the epoch; `null` if there is none. */
  readonly lastReceivedAt: number | null
  /** How many deliveries each forwarder has not finished; only forwarders that have some. */
  readonly unfinished: ReadonlyArray<{ readonly forwarder: string, readonly deliveries: number }>
}

/**
 * Puts a backup into a data folder without a database, and checks it before a service can use it. Other files in the folder stay.
 * @throws {StoreError}
 */
export async function restore ({ from, dataDir, erasures, ...options }: RestoreOptions): Promise<Restored> {
  checkBackup(from)
  const path = databasePath(dataDir)
  return await explainCopy(from, path, async () => {
    const lock = await takeFolder(dataDir)
    const draft = draftOf(path)
    try {
      checkEmpty(path, '--data-dir')
      makeOwnersFile(draft)
      await copyDatabase(from, draft, (done, of) => {
        options.signal?.throwIfAborted()
        options.onProgress?.({ phase: 'copying', done, of })
      })
      const given = erasures === undefined ? [] : givenErasures(erasures)
      const people = [...readErasures(erasuresPath(dataDir)), ...given]
      const restored = await finishDraft(draft, from, people, options)
      rememberErasures(dataDir, given, Date.now())
      sync(draft)
      renameSync(draft, path)
      syncWithFolder(path)
      return restored
    } catch (error) {
      // Look for the cause before the draft is removed and its space is free again.
      throw addSystemCause(error, draft)
    } finally {
      removeDraft(draft)
      lock.release()
    }
  })
}

function checkBackup (from: string): void {
  let size = 0
  try {
    size = statSync(from).size
  } catch (error) {
    throw new StoreError('NO_STORE', `There is no backup ${from}, or it cannot be reached: name the file that "tierhook backup" made`, error)
  }
  const assessment = size === 0 ? 'unknown' : assess(from)
  if (assessment === 'ours, damaged') {
    throw new StoreError('STORE_DAMAGED', `The backup ${from} is damaged: take another one. If there is none, copy it to tierhook.db in an empty data folder: the service takes over what can still be read of it`)
  }
  if (assessment !== 'ours') throw new StoreError('WRONG_STORE', `${from} is not a backup of tierhook`)
}

async function takeFolder (dataDir: string): Promise<ReturnType<typeof lockDataFolder>> {
  try {
    await makeDataFolder(dataDir)
    return lockDataFolder(dataDir)
  } catch (error) {
    if (error instanceof DataFolderInUseError) throw new StoreError('STORE_BUSY', error.message, error)
    if (error instanceof DataFolderNotWritableError) throw new StoreError('STORE_READ_ONLY', error.message, error)
    throw error
  }
}

/**
 * Checks that the folder has neither a database nor a log of one. SQLite would take a log that was left there for the new database's.
 * @param option the option that names another folder
 * @throws {StoreError}
 */
export function checkEmpty (path: string, option: '--data-dir' | '--to'): void {
  const name = basename(path)
  const dataDir = dirname(path)
  const taken = readdirSync(dataDir).find((each) => [name, `${name}-wal`].includes(each) || each.startsWith(`${name}.salvaged-`))
  if (taken === undefined) return
  throw new StoreError('WRONG_STORE', `The data folder ${dataDir} has ${taken}, and nothing is ever replaced: move tierhook.db and its -wal and -shm away, or name another folder with ${option}`)
}

async function finishDraft (draft: string, from: string, people: readonly Person[], options: CopyOptions): Promise<Restored> {
  const db = openForWriting(draft)
  try {
    migrate(db)
    const { deliveries, damaged } = await checkCopy(db, from, options)
    const erased = await eraseAgain(db, people, options)
    const last = db.prepare('SELECT max(received_at) AS at FROM deliveries').get([]) as { at: number | null }
    const unfinished = forwarders(db, []).map(({ name, pending, retrying }) => ({ forwarder: name, deliveries: pending + retrying }))
    checkpointAndClose(db)
    return { deliveries, damaged: damaged.length, erased, lastReceivedAt: last.at, unfinished: unfinished.filter((each) => each.deliveries > 0) }
  } finally {
    db.close()
  }
}

function givenErasures (path: string): readonly Person[] {
  if (existsSync(path)) return readErasures(path)
  throw new StoreError('NO_STORE', `There is no list of erased people ${path}`)
}

/** Erases people again who were erased after the backup was made. Nothing else uses the database yet, so the whole file can be rewritten. */
async function eraseAgain (db: Connection, people: readonly Person[], { signal }: CopyOptions): Promise<number> {
  if (people.length === 0) return 0
  let erased = 0
  for (let after = 0, done = false; !done;) {
    signal?.throwIfAborted()
    const step = erase(db, { people, after, limit: ERASED_AT_ONCE, force: true, dryRun: false })
    erased += step.erased.length
    after = step.upTo
    done = step.done
    await turn()
  }
  vacuum(db)
  return erased
}
