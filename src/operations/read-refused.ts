import { readEnvelope } from '../voucherify/identify.js'
import { isJsonObject, parseBody } from '../voucherify/parse-body.js'

export interface RefusedEvent {
  readonly sourceId: string
  /** Empty where the body does not say. */
  readonly eventId: string
}

/** Reads whose event a refused body says it is; `undefined` where it says nothing plausible, or there is too much to read. */
export type ReadRefused = (rawBody: Uint8Array) => RefusedEvent | undefined

export interface ReadRefusedOptions {
  readonly monotonic: () => number
  /** The most bodies that are read in a second. */
  readonly bodiesPerSecond?: number
  readonly bytesPerSecond?: number
}

/** Events take a few kilobytes. */
const LARGEST_BODY_BYTES = 262_144
/** What Voucherify calls its webhooks and distributions. */
const SOURCE_ID = /^(?:wh|distr)_[A-Za-z0-9_-]{1,64}$/
const EVENT_ID = /^[A-Za-z0-9_.:-]{1,100}$/

/** Makes the reader of bodies that nobody has proven, so what it spends in a second is bounded, whoever sends them. */
export function createReadRefused ({ monotonic, bodiesPerSecond = 100, bytesPerSecond = 1_048_576 }: ReadRefusedOptions): ReadRefused {
  let second = -Infinity
  let bodies = 0
  let bytes = 0

  function isAffordable (size: number): boolean {
    const now = monotonic()
    if (now - second >= 1000) {
      second = now
      bodies = 0
      bytes = 0
    }
    if (size > LARGEST_BODY_BYTES || bodies >= bodiesPerSecond || bytes + size > bytesPerSecond) return false
    bodies++
    bytes += size
    return true
  }

  return (rawBody) => {
    if (!isAffordable(rawBody.byteLength)) return undefined
    const parsed = parseBody(rawBody)
    const facts = parsed.ok && isJsonObject(parsed.value) ? readEnvelope(parsed.value) : null
    if (facts?.sourceId === null || facts?.sourceId === undefined || !SOURCE_ID.test(facts.sourceId)) return undefined
    return { sourceId: facts.sourceId, eventId: facts.eventId !== null && EVENT_ID.test(facts.eventId) ? facts.eventId : '' }
  }
}
