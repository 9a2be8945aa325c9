import { formatTable } from '../terminal/table.js'
import { catalogue } from '../voucherify/catalogue.js'
import type { CommandContext } from './context.js'
import { exitCodes } from './command-line.js'

export interface EventsOptions {
  readonly json?: boolean | undefined
}

/** Lists the events that have a schema. Returns the exit code. */
export function events (context: CommandContext, options: EventsOptions): number {
  const rows = catalogue.map(({ type, documentationName, kind, alsoKnown }) => ({ type, documentationName, kind, url: `/webhooks/${type}`, alsoKnown }))
  context.stdout.write(options.json === true
    ? `${JSON.stringify(rows, null, 2)}\n`
    : `${formatTable([['TYPE', 'DOCUMENTATION NAME', 'KIND', 'URL', 'NOTE'], ...rows.map(row => [row.type, row.documentationName, row.kind, row.url, row.alsoKnown ? 'also known' : ''])])}\n\n` +
      'Give each distribution the URL of its event. A project settings webhook sends all its events to /webhooks.\n' +
      'Of an event that is "also known", tierhook knows little more than the name: its schema accepts any object.\n' +
      'Bodies of your own design go to /webhooks/custom/<name>, with a name from CUSTOM_WEBHOOKS.\n')
  return exitCodes.ok
}
