import type { Logger } from 'pino'
import type { Clock } from '../delivery/clock.js'
import { within } from '../delivery/within.js'
import type { App } from '../http/app.js'
import type { DeliverySupervisor } from './delivery-supervisor.js'

interface Closable {
  readonly close: () => Promise<void>
}

/** The parts of a service that must be closed. */
export interface ServiceParts {
  readonly app: App
  readonly adminApp: App | undefined
  readonly delivery: Pick<DeliverySupervisor, 'close' | 'exited'>
  readonly watch: Closable
  readonly watchdog: Closable | undefined
  readonly actionList: Closable
  readonly operator: Closable
  readonly journal: Closable
  readonly logger: Logger
  readonly clock: Clock
  readonly timeoutMs: number
}

/** How long closing waits for the deliver thread to exit, in milliseconds. It does not wait past the timeout by more than this. */
const THREAD_EXIT_MS = 500

/** Closes one part after another, even if some fail to close. Rejects with the first failure. */
export async function closeService ({ app, adminApp, delivery, watch, watchdog, actionList, operator, journal, logger, clock, timeoutMs }: ServiceParts): Promise<void> {
  const deadline = clock.monotonic() + timeoutMs
  // A sender that keeps a request open must not use up the time of the forwarders.
  const cut = setTimeout(() => { app.server.closeAllConnections() }, timeoutMs / 2)
  const failures: unknown[] = []
  const tolerate = async (part: string, closed: Promise<void> | undefined): Promise<void> => {
    try {
      await closed
    } catch (error) {
      failures.push(error)
      logger.error({ err: error, part }, 'part of the service failed to close')
    }
  }
  await Promise.all([tolerate('webhook listener', app.close()), tolerate('operator listener', adminApp?.close())])
  clearTimeout(cut)
  await tolerate('forwarders', delivery.close(Math.max(0, deadline - clock.monotonic())))
  // These parts write to the data folder, so they close before the folder's lock is released.
  await Promise.all([tolerate('watch', watch.close()), tolerate('watchdog', watchdog?.close()), tolerate('list of actions', actionList.close())])
  // Close the journal last: its end copies the write-ahead log into the database, and nothing may read the database then.
  await tolerate('operator', operator.close())
  await tolerate('journal', journal.close())
  // A thread that hangs in a custom forwarder or in a name lookup ends with the process.
  await within(Math.min(THREAD_EXIT_MS, deadline + THREAD_EXIT_MS - clock.monotonic()), delivery.exited())
  if (failures.length > 0) throw failures[0]
}
