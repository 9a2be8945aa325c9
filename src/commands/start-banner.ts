import type { Settings } from '../config/settings.js'
import type { Paint } from '../terminal/output.js'
import { printable } from '../terminal/printable.js'
import { formatTable } from '../terminal/table.js'
import type { StartedService } from './context.js'

export interface BannerOptions {
  readonly settings: Settings
  readonly dataDir: string
  readonly version: string
  readonly paint: Paint
}

/** Formats the banner of a started service for a terminal: its URLs, its destinations, and commands to try. */
export function startBanner ({ url, adminUrl, forwarders = [] }: StartedService, { settings, dataDir, version, paint }: BannerOptions): string {
  const sections: ReadonlyArray<readonly [title: string, rows: ReadonlyArray<readonly string[]>]> = [
    ['Webhooks', [[`${url}/webhooks`, settings.VOUCHERIFY_WEBHOOK_SECRETS.length === 0 ? 'unsigned' : 'signed']]],
    ['Operator', adminUrl === undefined ? [['off', 'ADMIN_PORT is 0']] : [[adminUrl, settings.ADMIN_TOKEN === undefined && settings.ADMIN_TOKENS.length === 0 ? 'no token needed' : 'asks for a token']]],
    ['Forwards to', forwarders.map(({ name, type, destination }) => [name, type === 'log' ? 'the lines below' : destination])],
    ['Data', settings.JOURNAL === undefined ? [[dataDir]] : [[dataDir], [`the journal in PostgreSQL, schema ${settings.JOURNAL_SCHEMA}`]]],
    ['Try', [['npx tierhook send customer.loyalty.tier.upgraded'], ['npx tierhook status']]],
    ['Stop', [['Ctrl-C']]]
  ]
  const width = Math.max(...sections.map(([title]) => title.length))
  const lines = sections.flatMap(([title, rows]) => formatTable(rows).split('\n').map((text, index) => `  ${paint('dim', (index === 0 ? title : '').padEnd(width))}  ${text}`))
  return `\n  ${paint('bold', `tierhook ${printable(version)}`)}\n\n${lines.join('\n')}\n\n`
}
