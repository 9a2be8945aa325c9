import { setMaxListeners } from 'node:events'
import type { Pump } from './pump.js'

/** Drives the forwarders, each by a pump of its own: none waits for another. */
export interface Dispatcher {
  readonly start: () => Promise<void>
  /** Resolves when no forwarder has anything left that is due. */
  readonly idle: () => Promise<void>
  /**
   * Begins nothing new and waits for what is under way, for `timeoutMs` at most; what is not done then stays in the journal.
   * Idempotent. Rejects with the first failure once all are closed.
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
