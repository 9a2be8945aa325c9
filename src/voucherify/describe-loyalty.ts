import { isEnvelope } from './identify.js'
import { isJsonObject, objectOrEmpty, parseBody, type JsonObject } from './parse-body.js'

/** A tier as an event tells it; `null` for what it does not tell. */
export interface ToldTier {
  readonly id: string | null
  readonly name: string | null
  readonly pointsFrom: number | null
  readonly pointsTo: number | null
  /** What the tier changes about rewards. */
  readonly rewards: ReadonlyArray<{ readonly id: string, readonly multiplier: number | null, readonly points: number | null }>
}

/** Who moved from which tier to which, in which campaign. */
export interface LoyaltyMove {
  /** `null`: from none. The same as `to`: it was no move. */
  readonly from: ToldTier | null
  /** `null`: to none. */
  readonly to: ToldTier | null
  readonly campaignName: string | null
  /** Tells a person: not to be shown to whom it was not granted. */
  readonly customerName: string | null
  /** When it happened, as the event has it. */
  readonly occurredAt: string | null
}

const LONGEST = 200
const MOST_REWARDS = 20

/** What an event says of loyalty, of which each part may or may not be what it should; `undefined` where it tells of no tier. */
export function describeLoyalty (rawBody: Uint8Array, eventType: string): LoyaltyMove | undefined {
  const parsed = parseBody(rawBody)
  if (!parsed.ok || !isJsonObject(parsed.value)) return undefined
  const body = parsed.value
  const envelope = isEnvelope(body) ? body : undefined
  const data = envelope === undefined ? body : objectOrEmpty(envelope['data'])
  const tiers = movedBetween(data, eventType)
  if (tiers.from === null && tiers.to === null) return undefined
  return {
    ...tiers,
    campaignName: text(objectOrEmpty(data['campaign'])['name']),
    customerName: text(objectOrEmpty(data['customer'])['name']),
    occurredAt: text(objectOrEmpty(envelope?.['event'])['created_at'] ?? data['created_at'])
  }
}

function movedBetween (data: JsonObject, eventType: string): Pick<LoyaltyMove, 'from' | 'to'> {
  const tier = tierOf(data['loyalty_tier'])
  if (tier === null) return { from: tierOf(data['loyalty_tier_from']), to: tierOf(data['loyalty_tier_to']) }
  if (eventType.endsWith('.joined')) return { from: null, to: tier }
  return eventType.endsWith('.left') ? { from: tier, to: null } : { from: tier, to: tier }
}

function tierOf (value: unknown): ToldTier | null {
  if (!isJsonObject(value)) return null
  const points = isJsonObject(value['points']) ? value['points'] : objectOrEmpty(objectOrEmpty(value['config'])['points'])
  return {
    id: text(value['id']),
    name: text(value['name']),
    pointsFrom: number(points['from']),
    pointsTo: number(points['to']),
    rewards: Object.entries(objectOrEmpty(value['rewards'])).slice(0, MOST_REWARDS).map(([id, mapping]) => {
      const { multiplier, points: reward } = objectOrEmpty(mapping)
      return { id: id.slice(0, LONGEST), multiplier: number(multiplier), points: number(reward) }
    })
  }
}

function text (value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value.slice(0, LONGEST) : null
}

function number (value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}
