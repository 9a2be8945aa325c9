import type { MessagePort } from 'node:worker_threads'
import type { Settings } from '../config/settings.js'
import type { EndedAttempts } from '../delivery/observation.js'
import type { ErrorFields } from '../threads/thread-error.js'
import type { Delivery, DeliveryConfig, ForwarderStatus } from './delivery.js'

/** The methods of the deliver thread. */
export interface DeliveryApi extends Omit<Delivery, 'openForwarders' | 'storeOpened'> {
  readonly openForwarders: (config: DeliveryConfig & { readonly logLevel: Settings['LOG_LEVEL'] }) => ReturnType<Delivery['openForwarders']>
  readonly storeOpened: (opened: { readonly path: string, readonly visible: number, readonly store: MessagePort }) => void
  readonly respond: () => void
  /** The lines of a message with an `id` have been written, or could not be written. */
  readonly linesWritten: (written: { readonly id: number, readonly error?: ErrorFields }) => void
}

/** Events that the deliver thread sends to the main thread. Attempts and lines are collected for a moment and sent together. */
export type DeliveryEvent =
  | { readonly type: 'attempts', readonly ended: readonly EndedAttempts[] }
  | { readonly type: 'status', readonly status: ForwarderStatus }
  | { readonly type: 'damage', readonly error: ErrorFields }
  /** Whole lines for the log. If there is an `id`, the thread expects `linesWritten` when they have been written. */
  | { readonly type: 'lines', readonly lines: string, readonly id?: number }
