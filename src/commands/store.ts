import { resolve } from 'node:path'
import { loadStoreSettings, type StoreSettings } from '../config/load-settings.js'
import { StoreError, type Operator } from '../delivery/operator.js'
import type { CommandContext } from './context.js'
import { exitCodes } from './command-line.js'
import { printableText } from '../terminal/printable.js'
import { settingsSource } from './read-env-file.js'

export interface StoreOptions {
  readonly dataDir?: string | undefined
  readonly envFile?: string | undefined
}

export interface Store {
  readonly operator: Operator
  readonly settings: StoreSettings
  readonly dataDir: string
  /** The database that replicas share, where one is configured and no data folder is named. */
  readonly journal: { readonly url: string, readonly schema: string } | undefined
}

export type StorePlace = Omit<Store, 'operator'>

/**
 * Tells `work` where the store is; resolves with the exit code. What is wrong with the store is told in a line.
 * @throws ConfigurationError, UsageError
 */
export async function atStore (context: CommandContext, options: StoreOptions, work: (place: StorePlace) => Promise<number>): Promise<number> {
  const settings = loadStoreSettings(await settingsSource(context, options))
  const { JOURNAL: url, JOURNAL_SCHEMA: schema } = settings
  const dataDir = resolve(context.directory, options.dataDir ?? settings.DATA_DIR)
  const journal = url === undefined || options.dataDir !== undefined ? undefined : { url, schema }
  return await orStoreError(context, async () => await work({ settings, dataDir, journal }))
}

/** Tells in a line what is wrong with the store; resolves with the exit code. */
export async function orStoreError (context: CommandContext, work: () => Promise<number>): Promise<number> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    context.stderr.write(`tierhook: ${printableText(error.message)}\n`)
    return exitCodes.failure
  }
}

/**
 * Opens the store in the data folder for as long as `work` takes; resolves with the exit code. What is wrong with the
 * store is told in a line.
 * @throws ConfigurationError, UsageError
 */
export async function withStore (context: CommandContext, options: StoreOptions, work: (store: Store) => Promise<number>): Promise<number> {
  return await atStore(context, options, async place => {
    const operator = context.openOperator(place)
    try {
      return await work({ operator, ...place })
    } finally {
      await operator.close()
    }
  })
}

/**
 * The names of the forwarders that are configured.
 * @throws ConfigurationError
 */
export function configuredForwarders (context: CommandContext, { FORWARDERS, FORWARDERS_FILE }: StoreSettings): readonly string[] {
  return context.forwarderNames({ FORWARDERS, ...FORWARDERS_FILE === undefined ? {} : { FORWARDERS_FILE: resolve(context.directory, FORWARDERS_FILE) } })
}

/** Refuses what only the files of a data folder can be asked for. */
export function refuseShared ({ journal }: Pick<StorePlace, 'journal'>, instead: string): void {
  if (journal !== undefined) throw new StoreError('WRONG_STORE', `JOURNAL names a PostgreSQL database: ${instead.replaceAll('%s', journal.schema)}`)
}
