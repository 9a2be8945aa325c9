import { Option, type Command } from 'commander'
import { environmentFile, wholeNumber } from './command-line.js'

const limit = wholeNumber(1, 10_000)
export const watching = (): Option => new Option('--watch [seconds]', 'show it again and again, until Ctrl-C: every 2 seconds, or every given number of seconds').argParser(wholeNumber(1, 3600)).preset('2')

export function addStoreOptions (command: Command): Command {
  return command.option('--data-dir <path>', 'the service\'s data folder (default: DATA_DIR)').option(...environmentFile)
}

export function addPageOptions (command: Command): Command {
  return command
    .option('--limit <number>', 'how many at most', limit, 50)
    .option('--before <id>', 'only what came before this delivery: the next page')
}
