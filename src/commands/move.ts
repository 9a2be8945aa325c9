import { resolve } from 'node:path'
import type { MovePlace } from '../composition/move.js'
import { loadStoreSettings } from '../config/load-settings.js'
import { countDeliveries, jsonLine } from '../terminal/printable.js'
import type { CommandContext } from './context.js'
import { copyStore } from './copy-bar.js'
import { readEnvFile } from './read-env-file.js'
import { orStoreError } from './store.js'

export interface MoveCommandOptions {
  readonly from: string
  readonly to: string
  readonly envFile?: string | undefined
  readonly json?: boolean | undefined
}

/**
 * Moves a journal with its progress from a data folder to PostgreSQL, or back. Resolves with the exit code.
 * @throws ConfigurationError, UsageError
 */
export async function move (context: CommandContext, { from, to, envFile, json }: MoveCommandOptions): Promise<number> {
  const file = await readEnvFile({ directory: context.directory, path: envFile })
  const { JOURNAL_SCHEMA: schema } = loadStoreSettings({ environment: context.environment, ...file === undefined ? {} : { envFile: file } })
  const placeOf = (text: string): MovePlace => /^postgres(?:ql)?:\/\//.test(text) ? { url: text, schema } : { dataDir: resolve(context.directory, text) }
  return await orStoreError(context, async () => await copyStore(context, {
    copy: async (copying) => await context.moveStore({ from: placeOf(from), to: placeOf(to), ...copying }),
    report (moved) {
      context.stdout.write(json === true ? jsonLine({ ...moved }) : `${countDeliveries(moved.deliveries)} moved and checked; what was moved from is kept as ${moved.left}\n`)
    },
    whenStopped: 'Stopped: nothing was moved, and the next move starts over'
  }))
}
