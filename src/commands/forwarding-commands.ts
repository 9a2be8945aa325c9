import type { Command } from 'commander'
import type { DiscardRequest } from '../delivery/operator-requests.js'
import { examples, wholeNumber, type Runs } from './command-line.js'
import { addFilterOptions } from './delivery-filter.js'
import { moment } from './moment.js'
import { addPageOptions, addStoreOptions, watching } from './store-options.js'

/** Adds the commands for quarantine, dead letters, replays and forwarders. */
export function addForwardingCommands (program: Command, runs: Runs): void {
  addQuarantineCommands(program, runs)
  addForwarderCommands(program, runs)
}

function addQuarantineCommands (program: Command, runs: Runs): void {
  const parent = program.command('quarantine').enablePositionalOptions()
  addStoreOptions(addPageOptions(addFilterOptions(parent)))
    .description('list what is in quarantine because it does not match its schema; "release" lets it out, "discard" removes it')
    .option('--json', 'show one JSON object a line instead')
    .addHelpText('after', examples(
      'tierhook quarantine',
      'tierhook quarantine --type customer.loyalty.tier.left --json',
      'tierhook quarantine release 01983f1c-5d2a-7c3e'
    ))
    .action(runs(async () => (await import('./quarantine.js')).quarantine))

  addStoreOptions(addFilterOptions(parent.command('release')))
    .description('validate again, and forward what is valid now to every known forwarder')
    .argument('[ids...]', 'deliveries, each by its id or an unambiguous beginning of it')
    .option('--all', 'all that is in quarantine')
    .option('--force', 'also what is still invalid, or too old to be recognised as a duplicate')
    .option('--json', 'show one JSON object a delivery instead')
    .addHelpText('after', examples(
      'tierhook quarantine release 01983f1c-5d2a-7c3e',
      'tierhook quarantine release --all                         # after an update brought new schemas',
      'tierhook quarantine release --type "campaign.*" --force'
    ))
    .action(runs(async () => (await import('./release.js')).release))

  addDiscardCommand(parent, { from: 'quarantine', what: 'what is in quarantine', runs })
    .addHelpText('after', examples('tierhook quarantine discard 01983f1c-5d2a-7c3e', 'tierhook quarantine discard --older-than 30d --yes'))
}

function addDiscardCommand (parent: Command, { from, what, runs }: { from: DiscardRequest['from'], what: string, runs: Runs }): Command {
  return addStoreOptions(addFilterOptions(parent.command('discard')))
    .description(`remove ${what} for good, after asking`)
    .argument('[ids...]', 'deliveries, each by its id or an unambiguous beginning of it')
    .option('--all', `all ${what}`)
    .option('--older-than <span>', 'only what came longer ago: 30d, or before 2026-01-31T08:00:00Z', moment(() => Date.now()))
    .option('--yes', 'do not ask')
    .action(runs(async () => (await import('./discard.js')).discard(from)))
}

function addForwarderCommands (program: Command, runs: Runs): void {
  const letters = program.command('dead-letters').enablePositionalOptions()
  addStoreOptions(addPageOptions(letters))
    .description('list what forwarders gave up on; "tierhook replay --dead" tries it again, "discard" removes it')
    .option('--forwarder <name>', 'only this forwarder\'s')
    .option('--type <pattern>', 'only this event type, or all that match: * stands for any characters')
    .option('--json', 'show one JSON object a line instead')
    .addHelpText('after', examples('tierhook dead-letters', 'tierhook dead-letters --forwarder http --json | jq -r .reason | sort | uniq -c'))
    .action(runs(async () => (await import('./dead-letters.js')).deadLetters))

  addDiscardCommand(letters, { from: 'dead letters', what: 'dead letters', runs })
    .option('--forwarder <name>', 'only this forwarder\'s')
    .addHelpText('after', examples('tierhook dead-letters discard --forwarder http --older-than 30d', 'tierhook dead-letters discard 01983f1c-5d2a-7c3e --yes'))

  addStoreOptions(addFilterOptions(program.command('replay')))
    .description('forward deliveries again, under the same ids and marked as replays')
    .argument('[ids...]', 'deliveries, each by its id or an unambiguous beginning of it')
    .option('--forwarder <name>', 'only to this forwarder (default: to every known one)')
    .option('--dead', 'dead letters, each to the forwarder that gave up on it')
    .option('--all', 'all that is stored')
    .option('--force', 'also what a forwarder\'s filter skips')
    .option('--after <id>', 'only what came after this delivery: continues a stopped replay')
    .option('--rate <number>', 'how many deliveries a second', wholeNumber(1, 100_000))
    .option('--dry-run', 'only count')
    .option('--json', 'show one JSON object instead')
    .addHelpText('after', examples(
      'tierhook replay 01983f1c-5d2a-7c3e --forwarder http',
      'tierhook replay --dead --forwarder http --rate 50',
      'tierhook replay --since 2026-01-31T08:00:00Z --until 2026-01-31T09:30:00Z --dry-run',
      'tierhook replay --all --forwarder file'
    ))
    .action(runs(async () => (await import('./replay.js')).replay))

  const parent = program.command('forwarders').enablePositionalOptions()
  addStoreOptions(parent)
    .description('show how far each forwarder has come; "forget" ends one')
    .option('--json', 'show one JSON object a line instead')
    .addOption(watching())
    .addHelpText('after', examples('tierhook forwarders', 'tierhook forwarders --watch', 'tierhook forwarders --json', 'tierhook forwarders forget http'))
    .action(runs(async () => (await import('./forwarders.js')).forwarders))

  addStoreOptions(parent.command('forget'))
    .description('end a forwarder that is not configured any more, and drop what waits for it')
    .argument('<name>', 'the forwarder')
    .option('--force', 'also one that is configured: it then starts over')
    .addHelpText('after', examples('tierhook forwarders forget http'))
    .action(runs(async () => (await import('./forget.js')).forget))
}
