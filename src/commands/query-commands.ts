import type { Command } from 'commander'
import { examples, wholeNumber, type Runs } from './command-line.js'
import { addFilterOptions, addStatusOptions } from './delivery-filter.js'
import { addPageOptions, addStoreOptions, watching } from './store-options.js'

/** Adds the commands that only show: status, deliveries, show, tail and drift. */
export function addQueryCommands (program: Command, runs: Runs): void {
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
    .option('--count <number>', 'end after this many', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .option('--json', 'show one JSON object a line instead')
    .addHelpText('after', examples('tierhook tail', 'tierhook tail --type "campaign.*" --json', 'tierhook tail --count 1'))
    .action(runs(async () => (await import('./tail.js')).tail))

  const driftCommand = program.command('drift').enablePositionalOptions()
  addStoreOptions(driftCommand)
    .description('show how authentic events differed from their schemas: what was expected, what was seen; "reset" forgets it')
    .option('--json', 'show one JSON object a line instead')
    .addHelpText('after', examples('tierhook drift', 'tierhook drift --json | jq -r .pointer | sort | uniq -c', 'tierhook drift reset'))
    .action(runs(async () => (await import('./drift.js')).drift))

  addStoreOptions(driftCommand.command('reset'))
    .description('forget the drift seen so far, so that it is reported again')
    .addHelpText('after', examples('tierhook drift reset', 'tierhook drift reset --data-dir /var/lib/tierhook'))
    .action(runs(async () => (await import('./drift.js')).resetDrift))
}
