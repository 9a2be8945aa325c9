/** One webhook, ready to be sent. */
export interface Webhook {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** What there is to send. A webhook can be made again for a retry, the same to the byte, so none has to be kept. */
export interface PayloadGenerator {
  /** The webhooks and distributions that events come from, by the id that the receiver sees; a retry too many switches off one of them. */
  readonly sources: readonly string[]
  readonly sourceOf: (index: number) => string
  /** The webhook of the event with this index, from 0, that happened at this time, in milliseconds since the epoch. */
  readonly webhook: (index: number, happenedAt: number) => Webhook
}
