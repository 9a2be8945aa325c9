/** One webhook, ready to be sent. */
export interface Webhook {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** Makes the webhooks to send. The same webhook can be made again for a retry, byte for byte, so none has to be stored. */
export interface PayloadGenerator {
  /** The ids, as the receiver sees them, of the webhooks and distributions that send the events. Too many failed retries switch one of them off. */
  readonly sources: readonly string[]
  readonly sourceOf: (index: number) => string
  /** Returns the webhook of the event with this index, from 0. `happenedAt` is in milliseconds since the epoch. */
  readonly webhook: (index: number, happenedAt: number) => Webhook
}
