import { setTimeout as sleep } from 'node:timers/promises'
import type { Pruned } from '../delivery/operator-requests.js'
import type { CommandContext } from './context.js'
import { exitCodes } from './command-line.js'
import { noteAction } from './note-action.js'
import { countDeliveries } from '../terminal/printable.js'
import { startProgressBar } from '../terminal/progress-bar.js'
import { untilStopped } from './stop.js'
import { withStore, type StoreOptions } from './store.js'

export interface PruneOptions extends StoreOptions {
  readonly dryRun?: boolean | undefined
}

const dayMs = 86_400_000
/** Deliveries per transaction. */
const stepSize = 200
/** Pause between two steps, so that a running service can write too, in milliseconds. */
const pauseMs = 10

/**
 * Removes deliveries that the retention settings no longer keep. Resolves with the exit code.
 * @throws ConfigurationError, UsageError
 */
export async function prune (context: CommandContext, options: PruneOptions): Promise<number> {
  return await withStore(context, options, async ({ operator, settings, dataDir }) => await untilStopped(context, async stop => {
    const now = Date.now()
    const limits = {
      now,
      quarantinedBefore: settings.RETENTION_QUARANTINE_DAYS > 0 ? now - settings.RETENTION_QUARANTINE_DAYS * dayMs : -Infinity,
      receivedBefore: now - settings.RETENTION_DAYS * dayMs,
      maxBytes: settings.RETENTION_MAX_BYTES,
      keysBefore: now - settings.DEDUPE_WINDOW_DAYS * dayMs
    }
    const prunable = await operator.countPrunable(limits)
    if (options.dryRun === true) {
      context.stdout.write(`${countDeliveries(prunable.deliveries)} would be removed: received more than RETENTION_DAYS (${settings.RETENTION_DAYS}) days ago\n`)
      const overBytes = prunable.usedBytes - settings.RETENTION_MAX_BYTES
      if (settings.RETENTION_MAX_BYTES > 0 && overBytes > 0) {
        context.stdout.write(`The store is ${overBytes.toLocaleString('en-GB')} bytes larger than RETENTION_MAX_BYTES: the oldest forwarded deliveries would be removed until it fits\n`)
      }
      return exitCodes.ok
    }
    const bar = startProgressBar(context, prunable.deliveries)
    let removed = 0
    const pruning = async (): Promise<void> => {
      for (let after: number | undefined = 0; after !== undefined && !stop.signal.aborted;) {
        const step: Pruned = await operator.prune({ ...limits, after, limit: stepSize })
        removed += step.removed
        after = step.next
        bar.update(removed)
        if (after !== undefined) await sleep(pauseMs)
      }
    }
    await noteAction(context, { dataDir, stop, action: () => ({ action: 'prune', count: removed }) }, pruning).finally(() => { bar.stop() })
    context.stdout.write(`${countDeliveries(removed)} removed\n`)
    return stop.signal.aborted ? stop.exitCode() : exitCodes.ok
  }))
}
