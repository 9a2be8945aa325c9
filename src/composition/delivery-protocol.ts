import type { MessagePort } from 'node:worker_threads'
import type { Settings } from '../config/settings.js'
import type { EndedAttempts } from '../delivery/observation.js'
import type { ErrorFields } from '../threads/thread-error.js'
import type { Delivery, DeliveryConfig, ForwarderStatus } from './delivery.js'

/** `Delivery` as it is called in a thread of its own. */
export interface DeliveryApi extends Omit<Delivery, 'openForwarders' | 'storeOpened'> {
  readonly openForwarders: (config: DeliveryConfig & { readonly logLevel: Settings['LOG_LEVEL'] }) => ReturnType<Delivery['openForwarders']>
  readonly storeOpened: (opened: { readonly path: string, readonly visible: number, readonly store: MessagePort }) => void
  readonly respond: () => void
  /** The lines of a message that asked for it have left the process, or could not be written. */
  readonly linesWritten: (written: { readonly id: number, readonly error?: ErrorFields }) => void
}

/** What the thread that forwards tells the main thread. Much of it is gathered for a moment. */
export type DeliveryEvent =
  | { readonly type: 'attempts', readonly ended: readonly EndedAttempts[] }
  | { readonly type: 'status', readonly status: ForwarderStatus }
  | { readonly type: 'damage', readonly error: ErrorFields }
  /** Whole lines for the log. With an `id`, it is to be told when they have left the process. */
  | { readonly type: 'lines', readonly lines: string, readonly id?: number }
