import { resolve } from 'node:path'
import { loadStoreSettings, type StoreSettings } from '../config/load-settings.js'
import { StoreError, type Operator } from '../delivery/operator.js'
import type { CommandContext } from './context.js'
import { exitCodes } from './exit-codes.js'
import { readEnvFile } from './read-env-file.js'

export interface StoreOptions {
  readonly dataDir?: string | undefined
  readonly envFile?: string | undefined
}

export interface Store {
  readonly operator: Operator
  readonly settings: StoreSettings
  readonly dataDir: string
}

export type StorePlace = Omit<Store, 'operator'>

/**
 * Tells `work` where the store is; resolves with the exit code. What is wrong with the store is told in a line.
 * @throws ConfigurationError, UsageError
 */
export async function atStore (context: CommandContext, options: StoreOptions, work: (place: StorePlace) => Promise<number>): Promise<number> {
  const envFile = await readEnvFile({ directory: context.directory, path: options.envFile })
  const settings = loadStoreSettings({ environment: context.environment, ...envFile === undefined ? {} : { envFile } })
  try {
    return await work({ settings, dataDir: resolve(context.directory, options.dataDir ?? settings.DATA_DIR) })
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    context.stderr.write(`tierhook: ${error.message}\n`)
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
    const operator = context.openOperator({ dataDir: place.dataDir })
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
