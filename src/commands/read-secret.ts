import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { CommandContext } from './context.js'
import { errorCode } from '../errors/system-code.js'
import { UsageError } from './command-line.js'

/** Means standard input if given as a path. */
export const STANDARD_INPUT = '-'

/** The most bytes of a secret, so that a wrong file is refused quickly. */
export const secretLimitBytes = 8192

/**
 * Reads a secret from the one line of a file or of standard input. A secret must not be an argument, because every user of the machine can see
 * arguments. Messages name the `option` and never quote the content.
 * @throws UsageError if the secret cannot be read, or is not one line
 */
export async function readSecret (context: CommandContext, option: string, path: string): Promise<string> {
  const place = path === STANDARD_INPUT ? 'standard input' : path
  const bytes = await readAll(context, option, path)
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '').replace(/\r?\n$/, '')
  if (text === '') throw new UsageError(`${option}: ${place} is empty: it should hold the secret, on one line`)
  if (bytes.byteLength > secretLimitBytes || /[\r\n]/.test(text)) throw new UsageError(`${option}: ${place} holds more than one line of up to ${secretLimitBytes} bytes: is it the right one?`)
  return text
}

async function readAll (context: CommandContext, option: string, path: string): Promise<Buffer> {
  try {
    return path === STANDARD_INPUT ? await context.readInput(secretLimitBytes) : await readFile(resolve(context.directory, path))
  } catch (error) {
    throw new UsageError(`${option}: ${path === STANDARD_INPUT ? 'standard input' : path} cannot be read (${errorCode(error)})`)
  }
}
