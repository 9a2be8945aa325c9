import type { Logger } from 'pino'
import type { FeedOptions } from './journal.js'
import type { Pump } from './pump.js'
import { pause, within } from './within.js'

export interface LedPumpOptions {
  readonly name: string
  /** Makes the pump for one term, with a new forwarder that has not been started. */
  readonly create: (onLost: NonNullable<FeedOptions['onLost']>) => Promise<Pump>
  readonly logger: Logger
  /** Called when this replica begins to lead the forwarder, and when it no longer leads it. */
  readonly onState: (leads: boolean) => void
  /** How long the forwarder may take to start before another replica gets a turn, in milliseconds. Absent: this replica keeps trying. */
  readonly startLimitMs?: number | undefined
  /** How long this replica then does not ask for the lead, in milliseconds. */
  readonly asideMs?: number
}

/** Why a term ended. `not-started`: the forwarder cannot start on this replica, but may start on another one. */
type TermEnd = 'lost' | 'yield' | 'not-started'

/** How long to wait after a term could not begin, in milliseconds. */
const RETRY_MS = 1000
/** How long attempts under way may take before another replica gets the forwarder, in milliseconds. */
const YIELD_MS = 5000
/** Other replicas ask for the lead every second, so one of them gets it in this time. */
const ASIDE_MS = 15_000

/**
 * Makes the pump of a forwarder that several replicas may lead. It uses one pump for each term in which this replica leads. `start` returns at
 * once, and the pump then waits until it leads.
 */
export function createLedPump ({ name, create, onState, startLimitMs, asideMs = ASIDE_MS, ...options }: LedPumpOptions): Pump {
  const logger = options.logger.child({ forwarder: name })
  const stop = new AbortController()
  let current: Pump | undefined
  let leading: Pump | undefined

  async function runTerm (): Promise<void> {
    let lose: (how: 'lost' | 'yield') => void = () => {}
    const lost = new Promise<'lost' | 'yield'>((resolve) => { lose = resolve })
    const stopped = new Promise<undefined>((resolve) => { stop.signal.addEventListener('abort', () => { resolve(undefined) }) })
    const pump = await create(lose)
    current = pump
    if (stop.signal.aborted) return await pump.close(stop.signal)
    try {
      await pump.start()
      leading = pump
      onState(true)
      logger.info('forwarder led here')
      const how = await endOfTerm(pump, Promise.race([lost, stopped]))
      if (how === undefined) return
      logger.warn({ how }, 'forwarder no longer led here')
      leading = undefined
      onState(false)
      await pump.close(how === 'yield' ? AbortSignal.timeout(YIELD_MS) : AbortSignal.abort())
      if (how === 'not-started') await pause(asideMs, stop.signal)
    } catch (error) {
      leading = undefined
      await pump.close(AbortSignal.abort())
      throw error
    }
  }

  /** Resolves with `undefined` when this replica stops. */
  async function endOfTerm (pump: Pump, ended: Promise<TermEnd | undefined>): Promise<TermEnd | undefined> {
    if (startLimitMs === undefined) return await ended
    const early = await within(startLimitMs, ended)
    if (early !== undefined || stop.signal.aborted) return early
    return pump.hasStarted() ? await ended : 'not-started'
  }

  async function run (): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        await runTerm()
      } catch (error) {
        if (stop.signal.aborted) return
        logger.error({ err: error }, 'forwarder cannot be led here')
        await pause(RETRY_MS, stop.signal)
      }
    }
  }

  return {
    name,
    start: async () => { run().catch((error: unknown) => { logger.fatal({ err: error }, 'forwarder stopped') }) },
    breakerState: () => leading?.breakerState() ?? 'closed',
    pause: () => { leading?.pause() },
    resume: () => { leading?.resume() },
    isPaused: () => leading?.isPaused() ?? false,
    idle: async () => { await leading?.idle() },
    hasStarted: () => leading?.hasStarted() ?? false,
    async close (signal) {
      stop.abort()
      await current?.close(signal)
    }
  }
}
