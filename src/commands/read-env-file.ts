import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { EnvFile } from '../config/env-file.js'
import type { SettingsSource } from '../config/load-settings.js'
import { errorCode } from '../errors/system-code.js'
import type { CommandContext } from './context.js'
import { UsageError } from './command-line.js'

export interface ReadEnvFileOptions {
  readonly directory: string
  /** Path given by the user. If absent, `.env` is read if it exists. */
  readonly path?: string | undefined
}

/**
 * Reads the environment file; `undefined` if none is named and `.env` does not exist.
 * @throws UsageError if the file cannot be read
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
 * Returns the sources of a command's settings: its environment, and the environment file.
 * @throws UsageError as `readEnvFile`
 */
export async function settingsSource ({ directory, environment }: Pick<CommandContext, 'directory' | 'environment'>, { envFile: path }: { readonly envFile?: string | undefined }): Promise<SettingsSource> {
  const envFile = await readEnvFile({ directory, path })
  return { environment, directory, ...envFile === undefined ? {} : { envFile } }
}
