import type { Settings } from '../config/settings.js'
import { startThread, type Thread } from '../threads/thread.js'
import { errorFields, toThreadError } from '../threads/thread-error.js'
import type { StoreApi } from '../journal/sqlite/store.js'
import type { Delivery, DeliveryHost } from './delivery.js'
import type { DeliveryApi, DeliveryEvent } from './delivery-protocol.js'

export interface OpenedStoreThread {
  readonly path: string
  readonly visible: number
  readonly store: Thread<StoreApi>
}

type Promised<T> = { readonly [K in keyof T]: T[K] extends (...parameters: infer P) => infer R ? (...parameters: P) => Promise<Awaited<R>> : never }

/** A `Delivery` that may run in another thread. Calls run in the order in which they are made. */
export interface HostedDelivery extends Promised<Omit<Delivery, 'storeOpened' | 'close'>> {
  readonly storeOpened: (opened: OpenedStoreThread) => Promise<void>
  /** Closes the delivery. Attempts under way are ended after `timeoutMs`. Returns whether it has closed everything that it had open. */
  readonly close: (timeoutMs: number) => Promise<boolean>
  /** Resolves when the thread's event loop runs, so no code blocks the thread. */
  readonly respond: () => Promise<void>
  /** Ends it at once and treats it as failed with this error. */
  readonly abort: (error: Error) => void
  /** Resolves when the thread has ended. */
  readonly exited: Promise<void>
}

export interface DeliveryHooks extends Omit<DeliveryHost, 'clock'> {
  readonly logLevel: Settings['LOG_LEVEL']
  /** Called if it ends without having been closed. All calls reject then. */
  readonly onFailure: (error: Error) => void
}

export type StartDelivery = (hooks: DeliveryHooks) => HostedDelivery

/** How much longer than the attempts the thread may take to close, in milliseconds. It has progress to save. */
const CLOSE_GRACE_MS = 2000

/** Runs forwarding in the deliver thread, so that a forwarder that blocks or crashes its thread costs no webhook. */
export const startDeliveryThread: StartDelivery = (hooks) => {
  const { output, logLevel } = hooks

  function onEvent (event: DeliveryEvent): void {
    switch (event.type) {
      case 'attempts':
        for (const ended of event.ended) hooks.onAttempts(ended)
        break
      case 'status':
        hooks.onStatus(event.status)
        break
      case 'damage':
        hooks.onDamage(toThreadError(event.error))
        break
      case 'lines':
        if (event.lines !== '') output.write(event.lines)
        if (event.id !== undefined) confirm(event.id).catch(() => undefined)
    }
  }

  /** Tells the thread that its lines were written. The thread may have ended meanwhile. */
  async function confirm (id: number): Promise<void> {
    const error = await output.flushed().then(() => undefined, errorFields)
    await remote.linesWritten(error === undefined ? { id } : { id, error })
  }

  const thread = startThread<DeliveryApi>('../composition/delivery-thread', { onFailure: hooks.onFailure, onEvent })
  const { remote } = thread
  return {
    openForwarders: async (config) => await remote.openForwarders({ ...config, logLevel }),
    claim: async () => { await remote.claim() },
    begin: async () => { await remote.begin() },
    async storeOpened ({ path, visible, store }) {
      const port = store.connect()
      await remote.storeOpened({ path, visible, store: port }, [port])
    },
    setVisible: async (sequence) => { await remote.setVisible(sequence) },
    stored: async (batch) => { await remote.stored(batch) },
    closeDatabase: async () => { await remote.closeDatabase() },
    checkpoint: async () => { await remote.checkpoint() },
    pause: async (forwarder) => { await remote.pause(forwarder) },
    resume: async (forwarder) => { await remote.resume(forwarder) },
    close: async (timeoutMs) => await thread.close(timeoutMs + CLOSE_GRACE_MS, { timeoutMs }),
    respond: async () => { await remote.respond() },
    abort: thread.abort,
    exited: thread.exited
  }
}
