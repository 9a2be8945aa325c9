import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Settings } from '../config/settings.js'
import type { ReservedFile } from '../forwarders/file/file-conflicts.js'
import { databasePath } from '../journal/sqlite/database.js'
import { erasuresPath } from '../journal/sqlite/erase/erasures-file.js'
import { actionListPath, olderActionListPath } from '../admin-api/action-list-file.js'
import { historyPath } from '../history/history-file.js'
import { DRIFT_RESET_FILE } from '../sender-watch/drift-reset.js'
import { SWITCHED_ON_FILE } from '../sender-watch/switch-on-limit.js'

export interface ReservedFilesOptions {
  readonly settings: Pick<Settings, 'DATA_DIR' | 'FORWARDERS_FILE'>
  /** The path of the environment file that was read. */
  readonly envFile?: string | undefined
}

/** Lists the files that belong to tierhook, or that it reads its configuration from. No forwarder may write to them. */
export function reservedFiles ({ settings, envFile }: ReservedFilesOptions): readonly ReservedFile[] {
  const dataDir = resolve(settings.DATA_DIR)
  const database = databasePath(dataDir)
  return [
    { path: database, what: 'the database' },
    ...['-wal', '-shm', '-journal'].map((end) => ({ path: `${database}${end}`, what: 'a part of the database' })),
    { path: join(dataDir, 'tierhook.lock'), what: 'the lock of the data folder' },
    { path: join(dataDir, 'withdrawn'), what: 'the list of what was refused' },
    { path: join(dataDir, 'observations.json'), what: 'the file of observations' },
    { path: historyPath(dataDir), what: 'the file of history' },
    { path: join(dataDir, DRIFT_RESET_FILE), what: 'the note that drift is to be reset' },
    { path: erasuresPath(dataDir), what: 'the list of who was erased' },
    ...[actionListPath(dataDir), olderActionListPath(dataDir)].map((path) => ({ path, what: 'the list of what operators did' })),
    { path: join(dataDir, SWITCHED_ON_FILE), what: 'the note of which webhooks were switched on' },
    ...ownNames(dataDir).map((name) => ({ path: join(dataDir, name), what: 'a file' })),
    ...settings.FORWARDERS_FILE === undefined ? [] : [{ path: resolve(settings.FORWARDERS_FILE), what: 'the file of forwarders' }],
    ...envFile === undefined ? [] : [{ path: envFile, what: 'the environment file' }]
  ]
}

/** Lists tierhook's other files in the data folder, such as a damaged database that was set aside. */
function ownNames (dataDir: string): readonly string[] {
  try {
    return readdirSync(dataDir).filter((name) => name.startsWith('tierhook.'))
  } catch {
    // The folder does not exist yet or cannot be read. The start reports that.
    return []
  }
}
