import type { Logger } from 'pino'
import type { Clock } from '../delivery/clock.js'
import { within } from '../delivery/within.js'
import type { App } from '../http/app.js'
import type { DeliverySupervisor } from './delivery-supervisor.js'

interface Closable {
  readonly close: () => Promise<void>
}

/** What there is to close of a service. */
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

/** How long the end waits for a thread that has closed all that it had open, and until when after its time is over, in milliseconds. */
const THREAD_EXIT_MS = 500

/** Closes one part after the other, each whether or not the others could be, and rejects with the first failure. */
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
  // Before the folder may be another's.
  await Promise.all([tolerate('watch', watch.close()), tolerate('watchdog', watchdog?.close()), tolerate('list of actions', actionList.close())])
  // The journal last: it leaves all in the database, which nobody else may be reading then.
  await tolerate('operator', operator.close())
  await tolerate('journal', journal.close())
  // What hangs in somebody's code, or in a name look-up, is left to the end of the process.
  await within(Math.min(THREAD_EXIT_MS, deadline + THREAD_EXIT_MS - clock.monotonic()), delivery.exited())
  if (failures.length > 0) throw failures[0]
}
