import type { EventType } from '../voucherify/catalogue.js'
import type { Envelope } from '../voucherify/envelope.js'
import { breakSample, sampleEnvelope } from '../voucherify/samples.js'

export interface SampleBodyOptions {
  readonly eventType: EventType
  /** Whether the body goes without its envelope. */
  readonly raw: boolean
  /** Whether the body breaks its schema. */
  readonly invalid: boolean
  /** From 0; each gives another event. */
  readonly index: number
  /** Each gives other events. */
  readonly seed: string
  /** What the envelope says that it was sent to. */
  readonly targetUrl: string
  readonly now: Date
}

/** The bytes of a sample event, as Voucherify writes them: compact JSON. */
export function sampleBody (options: SampleBodyOptions): Uint8Array {
  const { index, seed, now, targetUrl } = options
  const sample = sampleEnvelope(options.eventType, { index, seed, now })
  const addressed: Envelope = { ...sample, source: { ...sample.source, target_url: targetUrl } }
  const envelope = options.invalid ? breakSample(addressed, index) : addressed
  return Buffer.from(JSON.stringify(options.raw ? envelope.data : envelope))
}
