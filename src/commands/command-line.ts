import { InvalidArgumentError } from 'commander'
import type { CommandContext } from './context.js'

/** What the process ends with. */
export const exitCodes = {
  ok: 0,
  failure: 1,
  /** The command line or the configuration is wrong. */
  usage: 2
} as const

/** Added to a signal's number where the signal ended the process, as shells do. */
export const signalNumbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const

/** A command line that cannot be followed. Its message tells the user what to write instead. */
export class UsageError extends Error {
  readonly code = 'USAGE'

  constructor (message: string) {
    super(message)
    this.name = 'UsageError'
  }
}

/**
 * Makes the action of a command: it loads what commands need, and the command, so that no other one waits for that; runs it with its arguments and
 * options; and keeps its exit code.
 */
export type Runs = <Args extends readonly unknown[]>(load: () => Promise<(context: CommandContext, ...args: Args) => number | Promise<number>>) => (...args: Args) => Promise<void>

/** The option of every command that reads the configuration, as commander takes it. */
export const environmentFile = ['--env-file <path>', 'file of NAME=value lines; the environment wins over it (default: .env, if it is there)'] as const

/** Examples for the end of a command's help. */
export function examples (...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map(line => `  $ ${line}`).join('\n')}`
}

/** An option's parser for whole numbers from `minimum` to `maximum`. */
export function wholeNumber (minimum: number, maximum: number): (text: string) => number {
  return text => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN
    if (value >= minimum && value <= maximum) return value
    throw new InvalidArgumentError(`It must be a whole number from ${minimum} to ${maximum}.`)
  }
}
