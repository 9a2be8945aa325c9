import type { Logger } from 'pino'
import type { FeedOptions } from './journal.js'
import type { Pump } from './pump.js'
import { pause } from './within.js'

export interface LedPumpOptions {
  readonly name: string
  /** Makes the pump of one term, with a forwarder that has not been started before. */
  readonly create: (onLost: NonNullable<FeedOptions['onLost']>) => Promise<Pump>
  readonly logger: Logger
  /** Told when it is led here, and when it is not any more. */
  readonly onState: (leads: boolean) => void
}

/** How soon it is tried again to begin a term that could not begin, in milliseconds. */
const RETRY_MS = 1000
/** How long what is under way may take when the forwarder is to be another replica's, in milliseconds. */
const YIELD_MS = 5000

/** Drives one forwarder that several processes may lead: one pump a term, for as long as it is led here. It starts at once, and waits for the lead by itself. */
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
