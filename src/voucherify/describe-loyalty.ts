import { isEnvelope } from './identify.js'
import { isJsonObject, objectOrEmpty, parseBody, type JsonObject } from './parse-body.js'

/** A tier as described by an event; `null` for facts that the event lacks. */
export interface TierFacts {
  readonly id: string | null
  readonly name: string | null
  readonly pointsFrom: number | null
  readonly pointsTo: number | null
  /** The tier's changes to rewards. */
  readonly rewards: ReadonlyArray<{ readonly id: string, readonly multiplier: number | null, readonly points: number | null }>
}

/** A customer's move from one tier to another, in a campaign. */
export interface LoyaltyMove {
  /** `null`: the customer was in no tier. Equal to `to`: the customer did not move. */
  readonly from: TierFacts | null
  /** `null`: the customer is in no tier now. */
  readonly to: TierFacts | null
  readonly campaignName: string | null
  /** Personal data. Show it only to users with permission. */
  readonly customerName: string | null
  /** When the move happened, in the event's notation. */
  readonly occurredAt: string | null
}

const MAX_LENGTH = 200
const MAX_REWARDS = 20

/** Describes the move in a loyalty event; `undefined` if the event has no tier. Parts of the wrong type count as absent. */
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

function tierOf (value: unknown): TierFacts | null {
  if (!isJsonObject(value)) return null
  const points = isJsonObject(value['points']) ? value['points'] : objectOrEmpty(objectOrEmpty(value['config'])['points'])
  return {
    id: text(value['id']),
    name: text(value['name']),
    pointsFrom: number(points['from']),
    pointsTo: number(points['to']),
    rewards: Object.entries(objectOrEmpty(value['rewards'])).slice(0, MAX_REWARDS).map(([id, mapping]) => {
      const { multiplier, points: reward } = objectOrEmpty(mapping)
      return { id: id.slice(0, MAX_LENGTH), multiplier: number(multiplier), points: number(reward) }
    })
  }
}

function text (value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value.slice(0, MAX_LENGTH) : null
}

function number (value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}
