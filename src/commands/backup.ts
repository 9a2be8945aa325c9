import { resolve } from 'node:path'
import type { CommandContext } from './context.js'
import { copyStore } from './copy-bar.js'
import { addAction } from './note-action.js'
import { countDeliveries, jsonLine } from '../terminal/printable.js'
import { withStorePlace, refuseShared, type StoreOptions } from './store.js'

export interface BackupCommandOptions extends StoreOptions {
  readonly json?: boolean | undefined
}

/**
 * Copies the store into a new file and checks the copy. Resolves with the exit code.
 * @throws ConfigurationError, UsageError
 */
export async function backup (context: CommandContext, file: string, options: BackupCommandOptions): Promise<number> {
  return await withStorePlace(context, options, async ({ dataDir, journal }) => {
    refuseShared({ journal }, 'back it up by its own means, such as "pg_dump --schema=%s --format=custom", or name a data folder with --data-dir')
    const to = resolve(context.directory, file)
    return await copyStore(context, {
      copy: async (copying) => await context.storeCopies.backUp({ dataDir, to, ...copying }),
      report ({ bytes, deliveries, damaged }) {
        addAction(context, dataDir, { action: 'backup', file: to, count: deliveries })
        if (options.json === true) context.stdout.write(jsonLine({ file: to, bytes, deliveries, damaged }))
        else context.stdout.write(`${to}: ${countDeliveries(deliveries)}, ${bytes.toLocaleString('en-GB')} bytes, checked\n`)
        if (damaged > 0) context.stderr.write(`${countDeliveries(damaged)} damaged, in the store as in the backup: "tierhook verify" tells which\n`)
      },
      whenStopped: 'Stopped: no backup was made'
    })
  })
}
