import type { Logger } from 'pino'
import type { Forwarder, StartContext } from './forwarder.js'
import { backoffMs, type RetryPolicy } from './retry-policy.js'
import { within } from './within.js'

export interface StartForwarderOptions {
  readonly forwarder: Forwarder
  readonly context: StartContext | undefined
  readonly retry: RetryPolicy
  readonly random: () => number
  readonly logger: Logger
  /** Called once it has started. */
  readonly onStarted: () => void
  readonly onDefect: (error: unknown) => void
}

export interface ForwarderStart {
  /** Resolves once it has started, has failed to for the first time, or its time is over. Never rejects. */
  readonly begin: (position: string | null) => Promise<void>
  /** Tries no more. */
  readonly end: () => void
}

/** Starts a forwarder. One that can't start is down like one that can't forward: it is tried again, and costs nobody else anything. */
export function createForwarderStart ({ forwarder, context, retry, random, logger, onStarted, onDefect }: StartForwarderOptions): ForwarderStart {
  let timer: NodeJS.Timeout | undefined
  let ended = false

  async function attemptStart (position: string | null, attempt: number): Promise<void> {
    try {
      await forwarder.start?.(position, context)
    } catch (error) {
      const retryInMs = backoffMs(attempt, retry, random())
      logger.error({ err: error, attempt, retryInMs: Math.round(retryInMs) }, 'forwarder cannot start')
      if (!ended) timer = setTimeout(() => { startInTime(position, attempt + 1).catch(onDefect) }, retryInMs)
      return
    }
    onStarted()
  }

  /** One that hangs must not hold up the service's start. It can't be started a second time, so that a person has to know. */
  async function startInTime (position: string | null, attempt: number): Promise<void> {
    const inTime = await within(forwarder.timeoutMs, attemptStart(position, attempt).then(() => true))
    if (inTime !== true && !ended) logger.error({ err: new Error(`It has not started within ${forwarder.timeoutMs} ms, and is waited for`), attempt }, 'forwarder cannot start')
  }

  return {
    begin: async (position) => { await startInTime(position, 1) },
    end () {
      ended = true
      clearTimeout(timer)
    }
  }
}
