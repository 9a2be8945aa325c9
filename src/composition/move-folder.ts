import { existsSync, renameSync } from 'node:fs'
import { StoreError } from '../delivery/operator.js'
import { makeOwnersFile } from '../errors/give-to-folder-owner.js'
import { cursorChecksum } from '../journal/record.js'
import { draftOf, removeDraft, SIDE_FILES, syncWithFolder } from '../journal/sqlite/copies/draft.js'
import { checkEmpty } from '../journal/sqlite/copies/restore.js'
import { lockDataFolder, lockForSalvage, makeDataFolder } from '../journal/sqlite/data-lock.js'
import { closeAfterWriting, checkpointAndClose, databasePath, openForWriting, transaction, type Connection } from '../journal/sqlite/database.js'
import { migrate, SCHEMA_VERSION, schemaVersion } from '../journal/sqlite/schema.js'
import { UNKNOWN_FORWARDER } from '../journal/sqlite/salvage/settle-copies.js'
import { toPage, type Side, type Source, type Table, type Target } from './move-sides.js'

/**
 * Opens the store in a data folder for a move. Until it is closed, no service uses the folder and no command changes the store. Otherwise a
 * person who is erased after the copy was made would come back with the copy.
 */
export async function openFolder (dataDir: string): Promise<Source> {
  const path = databasePath(dataDir)
  if (!existsSync(path)) throw new StoreError('NO_STORE', `There is no tierhook.db in ${dataDir}: name the data folder that is to be moved`)
  const lock = takeFolder(dataDir)
  let commands: ReturnType<typeof lockForSalvage> | undefined
  try {
    commands = lockForSalvage(dataDir)
    return openSource(path, () => {
      commands?.release()
      lock.release()
    })
  } catch (error) {
    commands?.release()
    lock.release()
    throw error
  }
}

function openSource (path: string, release: () => void): Source {
  const db = openForWriting(path)
  if (schemaVersion(db) < SCHEMA_VERSION) migrate(db)
  return {
    side: sqliteSide(db),
    async leave () {
      closeAfterWriting(db)
      const left = freeName(`${path}.moved`)
      renameSync(path, left)
      for (const end of SIDE_FILES) if (existsSync(`${path}${end}`)) renameSync(`${path}${end}`, `${left}${end}`)
      syncWithFolder(left)
      return left
    },
    async close () {
      closeAfterWriting(db)
      release()
    }
  }
}

/** Makes a draft store in a data folder. `publish` gives it the store's name. */
export async function makeFolder (dataDir: string): Promise<Target> {
  await makeDataFolder(dataDir)
  const path = databasePath(dataDir)
  const lock = takeFolder(dataDir)
  const draft = draftOf(path)
  const releaseFolder = (): void => {
    removeDraft(draft)
    lock.release()
  }
  try {
    checkEmpty(path, '--to')
    makeOwnersFile(draft)
    const db = openForWriting(draft)
    migrate(db)
    return {
      side: sqliteSide(db),
      async publish () {
        checkpointAndClose(db)
        syncWithFolder(draft)
        renameSync(draft, path)
        syncWithFolder(path)
      },
      async close () {
        db.close()
        releaseFolder()
      }
    }
  } catch (error) {
    releaseFolder()
    throw error
  }
}

/** Returns a name that no file has. What an earlier move left is never replaced, because it may be the only copy of what was stored before. */
function freeName (path: string): string {
  if (!existsSync(path)) return path
  let number = 2
  while (existsSync(`${path}-${number}`)) number++
  return `${path}-${number}`
}

function takeFolder (dataDir: string): ReturnType<typeof lockDataFolder> {
  try {
    return lockDataFolder(dataDir)
  } catch (error) {
    throw new StoreError('STORE_BUSY', `${error instanceof Error ? error.message : String(error)} A store that is moved must not be served.`, error)
  }
}

function sqliteSide (db: Connection): Side {
  const known = (table: Table): string => table.name === 'forwarders' ? `name <> '${UNKNOWN_FORWARDER}'` : 'true'
  const sequenceOf = (name: string): number => Number((db.prepare('SELECT seq FROM sqlite_sequence WHERE name = ?').get([name]) as { seq: number } | undefined)?.seq ?? 0)
  return {
    async read (table, after, limit) {
      const key = table.key ?? ['rowid']
      const columns = table.columns.map((name) => name === 'raw_body' ? "coalesce((SELECT raw_body FROM bodies b WHERE b.sequence = t.sequence), x'') AS raw_body" : name)
      const beyond = after === undefined ? '' : `AND (${key.join(', ')}) > (${key.map(() => '?').join(', ')})`
      const rows = db.prepare(`SELECT ${[...columns, ...table.key === undefined ? ['rowid'] : []].join(', ')} FROM ${table.name} t WHERE ${known(table)} ${beyond}
        ORDER BY ${key.join(', ')} LIMIT ?`).all([...after ?? [], limit])
      return toPage(table, key, rows as Array<Record<string, unknown>>)
    },

    async write (table, rows) {
      const columns = table.columns.filter((name) => name !== 'raw_body')
      const more = table.name === 'forwarders' ? ['checksum'] : []
      const insert = db.prepare(`INSERT INTO ${table.name} (${[...columns, ...more].join(', ')}) VALUES (${[...columns, ...more].map(() => '?').join(', ')})`)
      const insertBody = db.prepare('INSERT INTO bodies (sequence, raw_body) VALUES (?, ?)')
      transaction(db, () => {
        for (const row of rows) {
          insert.run([...columns.map((name) => row[name] ?? null), ...more.map(() => cursorChecksum(String(row['name']), Number(row['cursor'])))])
          if (table.name === 'deliveries') insertBody.run([Number(row['sequence']), Buffer.from(String(row['raw_body']), 'hex')])
        }
      })
    },

    count: async (table) => (db.prepare(`SELECT count(*) AS n FROM ${table.name} WHERE ${known(table)}`).get([]) as { n: number }).n,
    counters: async () => ({ sequence: sequenceOf('deliveries'), replay: sequenceOf('replays') }),

    async setCounters ({ sequence, replay }) {
      transaction(db, () => {
        db.prepare("DELETE FROM sqlite_sequence WHERE name IN ('deliveries', 'replays')").run([])
        for (const [name, last] of [['deliveries', sequence], ['replays', replay]] as const) db.prepare('INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)').run([name, last])
      })
    }
  }
}
