import { findEvent, type EventKind } from '../voucherify/catalogue.js'
import type { Envelope } from '../voucherify/envelope.js'
import { breakSample, sampleEnvelope, sampleOpaqueEnvelope, type BrokenEnvelope, type SampleOptions } from '../voucherify/samples.js'
import type { EventIds } from './event-ids.js'
import { seal, type SealOptions } from './seal.js'
import type { PayloadGenerator } from './webhook.js'

export interface SampleGeneratorOptions {
  /** Event types, in the catalogue or not. Events take them in turn. */
  readonly types: readonly [string, ...string[]]
  /** What sends the events. Absent: each type's usual sender. */
  readonly kind: EventKind | undefined
  /** Whether the bodies lack their envelope. */
  readonly raw: boolean
  /** Whether the bodies break their schema. */
  readonly invalid: boolean
  readonly urlOf: (eventType: string) => URL
  readonly eventIds: EventIds
  /** Another seed gives other customers and campaigns. */
  readonly seed: string
  readonly seal: SealOptions
}

/** Makes a generator of invented events in Voucherify's form: compact JSON, and each event with its own ids. */
export function createSampleGenerator (options: SampleGeneratorOptions): PayloadGenerator {
  const { kind, raw, invalid, eventIds, seed } = options
  const series = options.types.map(type => ({
    type,
    url: options.urlOf(type),
    // A webhook or distribution exists longer than a run, so its id is always the same.
    source: sample(type, kind, { index: 0, now: new Date(0) }).source?.id ?? type
  }))

  function seriesOf (index: number): typeof series[number] {
    const one = series[index % series.length]
    if (one === undefined) throw new RangeError(`There is no event ${index}`)
    return one
  }

  function envelope (index: number, happenedAt: number): BrokenEnvelope {
    const { type, url, source } = seriesOf(index)
    const made = sample(type, kind, { index, seed, now: new Date(happenedAt) })
    const own: Envelope = {
      ...made,
      id: eventIds.sendOutId(index),
      source: { ...made.source, id: source, target_url: url.href },
      event: { ...made.event, id: eventIds.eventId(index) }
    }
    return invalid ? breakSample(own, index) : own
  }

  return {
    sources: [...new Set(series.map(({ source }) => source))],
    sourceOf: index => seriesOf(index).source,
    webhook (index, happenedAt) {
      const made = envelope(index, happenedAt)
      const body = Buffer.from(JSON.stringify(raw ? made.data : made))
      return { url: seriesOf(index).url, body, headers: seal(body, options.seal) }
    }
  }
}

function sample (type: string, kind: EventKind | undefined, options: SampleOptions): Envelope {
  const event = findEvent(type)
  return event === undefined ? sampleOpaqueEnvelope(type, options, kind) : sampleEnvelope(event.type, options, kind)
}
