import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { EnvFile } from '../config/env-file.js'
import { errorCode } from './error-code.js'
import { UsageError } from './usage-error.js'

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
