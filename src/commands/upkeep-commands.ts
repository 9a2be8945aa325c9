import type { Command } from 'commander'
import { environmentFile, examples, type Runs } from './command-line.js'
import { addStoreOptions } from './store-options.js'

/** Adds the commands that verify, prune, copy, move and erase stored data. */
export function addUpkeepCommands (program: Command, runs: Runs): void {
  addStoreOptions(program.command('verify'))
    .description('check every record against its checksum; exits 1 if one is damaged')
    .option('--full', 'check the structure of the database too')
    .option('--json', 'show one JSON object instead')
    .addHelpText('after', examples('tierhook verify', 'tierhook verify --full --data-dir /backup/data'))
    .action(runs(async () => (await import('./verify.js')).verify))

  addStoreOptions(program.command('prune'))
    .description('remove now what the settings RETENTION_… no longer keep; the service also does so by itself')
    .option('--dry-run', 'only count')
    .addHelpText('after', examples('tierhook prune --dry-run', 'RETENTION_DAYS=7 tierhook prune'))
    .action(runs(async () => (await import('./prune.js')).prune))

  addStoreOptions(program.command('backup'))
    .description('copy the database into a new file, consistent even while the service runs, and check the copy')
    .argument('<file>', 'the file to make; one that is there already is never replaced')
    .option('--json', 'show one JSON object instead')
    .addHelpText('after', examples('tierhook backup /backup/tierhook-2026-01-31.db', 'tierhook backup "/backup/tierhook-$(date +%F).db" --json'))
    .action(runs(async () => (await import('./backup.js')).backup))

  addStoreOptions(program.command('restore'))
    .description('put a backup into a data folder that has no database; the service must not run, and event files stay as they are')
    .argument('<file>', 'what "tierhook backup" made')
    .option('--erasures <file>', 'also erase again the people on this list, besides erasures.ndjson in the data folder')
    .option('--json', 'show one JSON object instead')
    .addHelpText('after', examples('tierhook restore /backup/tierhook-2026-01-31.db --data-dir /var/lib/tierhook', 'tierhook restore backup.db --data-dir trial'))
    .action(runs(async () => (await import('./restore.js')).restore))

  program.command('move')
    .description('move the journal with its progress from a data folder to PostgreSQL, or back, while no service uses it')
    .requiredOption('--from <place>', 'the data folder, or postgres://…, that the journal is in')
    .requiredOption('--to <place>', 'postgres://…, where the schema JOURNAL_SCHEMA must not exist yet, or a data folder without a database')
    .option(...environmentFile)
    .option('--json', 'show one JSON object instead')
    .addHelpText('after', examples('tierhook move --from /var/lib/tierhook --to "$JOURNAL"', 'tierhook move --from "$JOURNAL" --to /var/lib/tierhook'))
    .action(runs(async () => (await import('./move.js')).move))

  addStoreOptions(program.command('erase'))
    .description('erase every trace of one person in the database; what is left of an event is its id, time and type')
    .option('--customer <id>', 'by the customer\'s id')
    .option('--source-id <id>', 'by the customer\'s source id')
    .option('--email <address>', 'by the e-mail address')
    .option('--force', 'also events that are not forwarded yet: they are then never forwarded')
    .option('--dry-run', 'only look')
    .option('--json', 'show one JSON object instead')
    .addHelpText('after', examples(
      'tierhook erase --customer cust_nM4jqPiaXUvQdVSA6vTRUnix --dry-run',
      'tierhook erase --customer cust_nM4jqPiaXUvQdVSA6vTRUnix --email jan@example.com'
    ))
    .action(runs(async () => (await import('./erase.js')).erase))
}
