import { setMaxListeners } from 'node:events'
import type { Pump } from './pump.js'

/** Runs all forwarders, each with its own pump, so that no forwarder waits for another. */
export interface Dispatcher {
  readonly start: () => Promise<void>
  /** Resolves when no forwarder has anything left that is due. */
  readonly idle: () => Promise<void>
  /**
   * Begins no new attempts and waits for those under way, for `timeoutMs` at most. Deliveries that are not finished by then stay in the journal.
   * Idempotent. Rejects with the first failure after all pumps are closed.
   */
  readonly close: (timeoutMs: number) => Promise<void>
}

export function createDispatcher (pumps: readonly Pump[]): Dispatcher {
  let closing: Promise<void> | undefined
  return {
    async start () {
      await Promise.all(pumps.map(async (pump) => { await pump.start() }))
    },

    async idle () {
      await Promise.all(pumps.map(async (pump) => { await pump.idle() }))
    },

    async close (timeoutMs) {
      closing ??= (async () => {
        const controller = new AbortController()
        setMaxListeners(0, controller.signal)
        const timer = setTimeout(() => { controller.abort() }, timeoutMs)
        const closed = await Promise.allSettled(pumps.map(async (pump) => { await pump.close(controller.signal) }))
        clearTimeout(timer)
        for (const result of closed) if (result.status === 'rejected') throw result.reason
      })()
      await closing
    }
  }
}
