import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { EnvFile } from '../config/env-file.js'
import type { SettingsSource } from '../config/load-settings.js'
import { errorCode } from '../errors/system-code.js'
import type { CommandContext } from './context.js'
import { UsageError } from './command-line.js'

export interface ReadEnvFileOptions {
  readonly directory: string
  /** The file that the user named; without it, `.env` is read if it is there. */
  readonly path?: string | undefined
}

/**
 * Reads the `.env` file.
 * @throws UsageError if the user named a file that cannot be read, or if `.env` is there and cannot be read.
 */
export async function readEnvFile (options: ReadEnvFileOptions): Promise<EnvFile | undefined> {
  const path = options.path ?? '.env'
  try {
    return { path, text: await readFile(resolve(options.directory, path), 'utf8') }
  } catch (error) {
    if (options.path === undefined && errorCode(error) === 'ENOENT') return undefined
    throw new UsageError(`The environment file ${path} cannot be read (${errorCode(error)}): check its path and its permissions`)
  }
}

/**
 * Where a command's settings are read from: its environment, and the `.env` file.
 * @throws UsageError as `readEnvFile`
 */
export async function settingsSource ({ directory, environment }: Pick<CommandContext, 'directory' | 'environment'>, { envFile: path }: { readonly envFile?: string | undefined }): Promise<SettingsSource> {
  const envFile = await readEnvFile({ directory, path })
  return { environment, directory, ...envFile === undefined ? {} : { envFile } }
}
