import { InvalidArgumentError } from 'commander'
import type { CommandContext } from './context.js'

/** Exit codes of the process. */
export const exitCodes = {
  ok: 0,
  failure: 1,
  /** The command line or the configuration is wrong. */
  usage: 2
} as const

/** Signal numbers. Like in a shell, the exit code after a signal is 128 plus this number. */
export const signalNumbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const

/** An invalid command line. The message says what to write instead. */
export class UsageError extends Error {
  readonly code = 'USAGE'

  constructor (message: string) {
    super(message)
    this.name = 'UsageError'
  }
}

/**
 * Creates the action of a command. The action loads the command and its dependencies only when the command runs, so that other commands start
 * faster. It runs the command with its arguments and options, and keeps the exit code.
 */
export type Runs = <Args extends readonly unknown[]>(load: () => Promise<(context: CommandContext, ...args: Args) => number | Promise<number>>) => (...args: Args) => Promise<void>

/** The `--env-file` option of every command that reads the configuration, as arguments for commander. */
export const environmentFile = ['--env-file <path>', 'file of NAME=value lines; the environment wins over it (default: .env, if it is there)'] as const

/** Formats examples for the end of a command's help. */
export function examples (...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map(line => `  $ ${line}`).join('\n')}`
}

/** Returns an option parser for whole numbers from `minimum` to `maximum`. */
export function wholeNumber (minimum: number, maximum: number): (text: string) => number {
  return text => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN
    if (value >= minimum && value <= maximum) return value
    throw new InvalidArgumentError(`It must be a whole number from ${minimum} to ${maximum}.`)
  }
}
