import { Option, type Command } from 'commander'
import type { DiscardRequest } from '../delivery/operator-requests.js'
import { addFilterOptions, addStatusOptions } from './delivery-filter.js'
import { environmentFile, examples, wholeNumber, type Runs } from './command-line.js'
import { moment } from './moment.js'

const limit = wholeNumber(1, 10_000)
const watching = (): Option => new Option('--watch [seconds]', 'show it again and again, until Ctrl-C: every 2 seconds, or as many as are given').argParser(wholeNumber(1, 3600)).preset('2')

function addStoreOptions (command: Command): Command {
  return command.option('--data-dir <path>', 'the service\'s data folder (default: DATA_DIR)').option(...environmentFile)
}

function addPageOptions (command: Command): Command {
  return command
    .option('--limit <number>', 'how many at most', limit, 50)
    .option('--before <id>', 'only what came before this delivery: the next page')
}

/** Adds the commands that work on the data folder, while the service runs and while it does not. */
export function addStoreCommands (program: Command, runs: Runs): void {
  // Options after the name of a subcommand are the subcommand's own, also where its parent has one of the same name.
  program.enablePositionalOptions()
  addLookingCommands(program, runs)
  addQuarantineCommands(program, runs)
  addForwarderCommands(program, runs)
  addUpkeepCommands(program, runs)
}

function addLookingCommands (program: Command, runs: Runs): void {
  addStoreOptions(program.command('status'))
    .description('show on one screen how the service is and what needs you; exits 1 if something does')
    .option('--json', 'show one JSON object instead')
    .addOption(watching())
    .addHelpText('after', examples('tierhook status', 'tierhook status --watch 5', 'tierhook status --json | jq -r .needs[].text'))
    .action(runs(async () => (await import('./status.js')).status))

  addStoreOptions(addPageOptions(addStatusOptions(addFilterOptions(program.command('deliveries')))))
    .description('list deliveries, newest first')
    .option('--json', 'show one JSON object a line instead')
    .addHelpText('after', examples(
      'tierhook deliveries',
      'tierhook deliveries --type "customer.loyalty.*" --since 2h',
      'tierhook deliveries --status dead --forwarder http',
      'tierhook deliveries --customer cust_nM4jqPiaXUvQdVSA6vTRUnix --json | jq -r .id'
    ))
    .action(runs(async () => (await import('./deliveries.js')).deliveries))

  addStoreOptions(program.command('show'))
    .description('show all about one delivery: fields, verdict, forwarders, attempts, body')
    .argument('<id>', 'its id, or as much of the beginning as is unambiguous')
    .option('--raw', 'write the bytes exactly as they were received, and nothing else')
    .option('--json', 'show one JSON object instead')
    .addHelpText('after', examples(
      'tierhook show 01983f1c-5d2a-7c3e',
      'tierhook show 01983f1c-5d2a-7c3e --raw | sha256sum'
    ))
    .action(runs(async () => (await import('./show.js')).show))

  addStoreOptions(program.command('tail'))
    .description('show deliveries as they come in, until Ctrl-C')
    .option('--type <pattern>', 'only this event type, or all that match: * stands for any characters')
    .option('--count <number>', 'end after so many', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .option('--json', 'show one JSON object a line instead')
    .addHelpText('after', examples('tierhook tail', 'tierhook tail --type "campaign.*" --json', 'tierhook tail --count 1'))
    .action(runs(async () => (await import('./tail.js')).tail))

  const driftCommand = program.command('drift').enablePositionalOptions()
  addStoreOptions(driftCommand)
    .description('show in which ways authentic events differed from their schemas: what was expected, what was seen; "reset" forgets it')
    .option('--json', 'show one JSON object a line instead')
    .addHelpText('after', examples('tierhook drift', 'tierhook drift --json | jq -r .pointer | sort | uniq -c', 'tierhook drift reset'))
    .action(runs(async () => (await import('./drift.js')).drift))

  addStoreOptions(driftCommand.command('reset'))
    .description('forget what drift was met, so that all is told anew')
    .addHelpText('after', examples('tierhook drift reset', 'tierhook drift reset --data-dir /var/lib/tierhook'))
    .action(runs(async () => (await import('./drift.js')).resetDrift))
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
    .option('--force', 'also what is still invalid, or too old to be told from a copy')
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
    .description(`remove ${what} for good, after a question`)
    .argument('[ids...]', 'deliveries, each by its id or an unambiguous beginning of it')
    .option('--all', `all ${what}`)
    .option('--older-than <span>', 'only what came longer ago: 30d, or before 2026-01-31T08:00:00Z', moment(() => Date.now()))
    .option('--yes', 'ask nothing')
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
    .option('--dead', 'dead letters, each to the forwarder whose it is')
    .option('--all', 'all that is stored')
    .option('--force', 'also what a forwarder\'s filter passes over')
    .option('--after <id>', 'only what came after this delivery: goes on with what was stopped')
    .option('--rate <number>', 'so many deliveries a second', wholeNumber(1, 100_000))
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
    .option('--force', 'also one that is configured: it then begins anew')
    .addHelpText('after', examples('tierhook forwarders forget http'))
    .action(runs(async () => (await import('./forget.js')).forget))
}

function addUpkeepCommands (program: Command, runs: Runs): void {
  addStoreOptions(program.command('verify'))
    .description('check every record against its checksum; exits 1 if one is damaged')
    .option('--full', 'check the structure of the database too')
    .option('--json', 'show one JSON object instead')
    .addHelpText('after', examples('tierhook verify', 'tierhook verify --full --data-dir /backup/data'))
    .action(runs(async () => (await import('./verify.js')).verify))

  addStoreOptions(program.command('prune'))
    .description('remove now what the settings of retention, RETENTION_…, no longer keep, as the service does by itself')
    .option('--dry-run', 'only count')
    .addHelpText('after', examples('tierhook prune --dry-run', 'RETENTION_DAYS=7 tierhook prune'))
    .action(runs(async () => (await import('./prune.js')).prune))

  addStoreOptions(program.command('backup'))
    .description('copy the database into a new file, consistent also while the service runs, and check the copy')
    .argument('<file>', 'the file to make; one that is there already is never replaced')
    .option('--json', 'show one JSON object instead')
    .addHelpText('after', examples('tierhook backup /backup/tierhook-2026-01-31.db', 'tierhook backup "/backup/tierhook-$(date +%F).db" --json'))
    .action(runs(async () => (await import('./backup.js')).backup))

  addStoreOptions(program.command('restore'))
    .description('put a backup into a data folder that has no database; the service must not run, and event files stay as they are')
    .argument('<file>', 'what "tierhook backup" made')
    .option('--erasures <file>', 'erase again who is on this list too, beside erasures.ndjson in the data folder')
    .option('--json', 'show one JSON object instead')
    .addHelpText('after', examples('tierhook restore /backup/tierhook-2026-01-31.db --data-dir /var/lib/tierhook', 'tierhook restore backup.db --data-dir trial'))
    .action(runs(async () => (await import('./restore.js')).restore))

  program.command('move')
    .description('move the journal with its progress from a data folder to PostgreSQL, or back, while nobody serves it')
    .requiredOption('--from <place>', 'the data folder, or postgres://…, that it is in')
    .requiredOption('--to <place>', 'postgres://…, whose schema JOURNAL_SCHEMA must not be there, or a data folder without a database')
    .option(...environmentFile)
    .option('--json', 'show one JSON object instead')
    .addHelpText('after', examples('tierhook move --from /var/lib/tierhook --to "$JOURNAL"', 'tierhook move --from "$JOURNAL" --to /var/lib/tierhook'))
    .action(runs(async () => (await import('./move.js')).move))

  addStoreOptions(program.command('erase'))
    .description('erase every trace of one person in the database; what is left of an event is its id, time and type')
    .option('--customer <id>', 'by the customer\'s id')
    .option('--source-id <id>', 'by the customer\'s source id')
    .option('--email <address>', 'by the e-mail address')
    .option('--force', 'also events that are not forwarded yet: they reach nobody then')
    .option('--dry-run', 'only look')
    .option('--json', 'show one JSON object instead')
    .addHelpText('after', examples(
      'tierhook erase --customer cust_nM4jqPiaXUvQdVSA6vTRUnix --dry-run',
      'tierhook erase --customer cust_nM4jqPiaXUvQdVSA6vTRUnix --email jan@example.com'
    ))
    .action(runs(async () => (await import('./erase.js')).erase))
}
