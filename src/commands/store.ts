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
  /** The PostgreSQL journal, if one is configured and no data folder is given. */
  readonly journal: { readonly url: string, readonly schema: string } | undefined
}

export type StorePlace = Omit<Store, 'operator'>

/**
 * Runs `work` with the place of the store; resolves with the exit code. An error of the store is printed as one line.
 * @throws ConfigurationError, UsageError
 */
export async function withStorePlace (context: CommandContext, options: StoreOptions, work: (place: StorePlace) => Promise<number>): Promise<number> {
  const settings = loadStoreSettings(await settingsSource(context, options))
  const { JOURNAL: url, JOURNAL_SCHEMA: schema } = settings
  const dataDir = resolve(context.directory, options.dataDir ?? settings.DATA_DIR)
  const journal = url === undefined || options.dataDir !== undefined ? undefined : { url, schema }
  return await orStoreError(context, async () => await work({ settings, dataDir, journal }))
}

/** Runs `work` and prints an error of the store as one line. Resolves with the exit code. */
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
 * Runs `work` with the store open; resolves with the exit code. An error of the store is printed as one line.
 * @throws ConfigurationError, UsageError
 */
export async function withStore (context: CommandContext, options: StoreOptions, work: (store: Store) => Promise<number>): Promise<number> {
  return await withStorePlace(context, options, async place => {
    const operator = context.openOperator(place)
    try {
      return await work({ operator, ...place })
    } finally {
      await operator.close()
    }
  })
}

/**
 * Returns the names of the configured forwarders.
 * @throws ConfigurationError
 */
export function configuredForwarders (context: CommandContext, { FORWARDERS, FORWARDERS_FILE }: StoreSettings): readonly string[] {
  return context.forwarderNames({ FORWARDERS, ...FORWARDERS_FILE === undefined ? {} : { FORWARDERS_FILE: resolve(context.directory, FORWARDERS_FILE) } })
}

/**
 * Refuses a command that works only on a data folder if the journal is in PostgreSQL.
 * @throws StoreError WRONG_STORE; its message says what to do `instead`
 */
export function refuseShared ({ journal }: Pick<StorePlace, 'journal'>, instead: string): void {
  if (journal !== undefined) throw new StoreError('WRONG_STORE', `JOURNAL names a PostgreSQL database: ${instead.replaceAll('%s', journal.schema)}`)
}
