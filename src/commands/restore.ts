import { resolve } from 'node:path'
import type { Restored } from '../composition/open-store.js'
import type { CommandContext } from './context.js'
import { copyStore } from './copy-bar.js'
import { addAction } from './note-action.js'
import { countDeliveries, jsonLine } from '../terminal/printable.js'
import { withStorePlace, refuseShared, type StoreOptions } from './store.js'

export interface RestoreCommandOptions extends StoreOptions {
  readonly erasures?: string | undefined
  readonly json?: boolean | undefined
}

/**
 * Restores a backup into a data folder without a database. Resolves with the exit code.
 * @throws ConfigurationError, UsageError
 */
export async function restore (context: CommandContext, file: string, options: RestoreCommandOptions): Promise<number> {
  return await withStorePlace(context, options, async ({ dataDir, journal }) => {
    refuseShared({ journal }, 'restore it by its own means, such as pg_restore, while no replica runs; or name a data folder with --data-dir')
    const from = resolve(context.directory, file)
    const erasures = options.erasures === undefined ? undefined : resolve(context.directory, options.erasures)
    return await copyStore(context, {
      copy: async (copying) => await context.storeCopies.restore({ from, dataDir, erasures, ...copying }),
      report (restored) {
        addAction(context, dataDir, { action: 'restore', file: from, count: restored.deliveries })
        context.stdout.write(options.json === true ? jsonLine({ dataDir, ...restored }) : `${describe(restored, dataDir).join('\n')}\n`)
        if (restored.damaged > 0) context.stderr.write(`${countDeliveries(restored.damaged)} damaged, as in the backup: the service does not forward them, and "tierhook verify" tells which\n`)
      },
      whenStopped: 'Stopped: nothing was restored'
    })
  })
}

function describe ({ deliveries, erased, lastReceivedAt, unfinished }: Restored, dataDir: string): string[] {
  return [
    `${dataDir}: ${countDeliveries(deliveries)} restored and checked${lastReceivedAt === null ? '' : `; the newest was received at ${new Date(lastReceivedAt).toISOString()}`}`,
    ...erased === 0 ? [] : [`${countDeliveries(erased)} erased again, by the list of erased people`],
    ...unfinished.map(each => `${each.forwarder} had yet to get ${countDeliveries(each.deliveries)} when the backup was made: they go out when the service starts, even if they went out after the backup`),
    'What was received after the backup is not in the store. Voucherify sends again only what was not answered with a 2xx.',
    'Event files of the file forwarder were not changed. The service keeps their lines that are newer than the backup: it appends after those lines, ' +
      'or moves lines that it will write again to another file (see "An older database is restored" in docs/operating.md).'
  ]
}
