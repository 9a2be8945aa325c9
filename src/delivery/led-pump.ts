import type { Logger } from 'pino'
import type { FeedOptions } from './journal.js'
import type { Pump } from './pump.js'
import { pause } from './within.js'

export interface LedPumpOptions {
  readonly name: string
  /** Makes the pump for one term, with a new forwarder that has not been started. */
  readonly create: (onLost: NonNullable<FeedOptions['onLost']>) => Promise<Pump>
  readonly logger: Logger
  /** Called when this replica begins to lead the forwarder, and when it no longer leads it. */
  readonly onState: (leads: boolean) => void
}

/** How long to wait after a term could not begin, in milliseconds. */
const RETRY_MS = 1000
/** How long attempts under way may take before another replica gets the forwarder, in milliseconds. */
const YIELD_MS = 5000

/**
 * Makes the pump of a forwarder that several replicas may lead. It uses one pump for each term in which this replica leads. `start` returns at
 * once, and the pump then waits until it leads.
 */
export function createLedPump ({ name, create, onState, ...options }: LedPumpOptions): Pump {
  const logger = options.logger.child({ forwarder: name })
  const stop = new AbortController()
  let current: Pump | undefined
  let leading: Pump | undefined

  async function runTerm (): Promise<void> {
    let lose: (how: 'lost' | 'yield') => void = () => {}
    const lost = new Promise<'lost' | 'yield'>((resolve) => { lose = resolve })
    const stopped = new Promise<void>((resolve) => { stop.signal.addEventListener('abort', () => { resolve() }) })
    const pump = await create(lose)
    current = pump
    if (stop.signal.aborted) return await pump.close(stop.signal)
    try {
      await pump.start()
      leading = pump
      onState(true)
      logger.info('forwarder led here')
      const how = await Promise.race([lost, stopped])
      if (how === undefined) return
      logger.warn({ how }, 'forwarder no longer led here')
      leading = undefined
      onState(false)
      await pump.close(how === 'yield' ? AbortSignal.timeout(YIELD_MS) : AbortSignal.abort())
    } catch (error) {
      leading = undefined
      await pump.close(AbortSignal.abort())
      throw error
    }
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
    async close (signal) {
      stop.abort()
      await current?.close(signal)
    }
  }
}
