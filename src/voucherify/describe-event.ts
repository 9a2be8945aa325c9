import { isEnvelope } from './identify.js'
import { isJsonObject, objectOrEmpty, type JsonObject } from './parse-body.js'

/** Facts that only an event's body contains: plain values, none of them about a person. */
export type EventDescription = Readonly<Record<string, string | number>>

/**
 * Describes a parsed body: when the event occurred, and its tiers. Facts that are absent or not plain values are left out. An object in the
 * place of an id could contain data about a person.
 */
export function describeEvent (body: unknown): EventDescription {
  const description: Record<string, string | number> = {}
  if (!isJsonObject(body)) return description
  const envelope = isEnvelope(body) ? body : undefined
  const data = envelope === undefined ? body : objectOrEmpty(envelope['data'])
  put(description, 'occurredAt', objectOrEmpty(envelope?.['event'])['created_at'] ?? data['created_at'] ?? envelope?.['created_at'])
  describeTier(description, TIER, data['loyalty_tier'])
  describeTier(description, TIER_FROM, data['loyalty_tier_from'])
  describeTier(description, TIER_TO, data['loyalty_tier_to'])
  return description
}

/** Returns the event's own body, with or without an envelope. An envelope without `data` is returned as it is. */
export function eventBody (body: unknown): unknown {
  return isJsonObject(body) && isEnvelope(body) && Object.hasOwn(body, 'data') ? body['data'] : body
}

interface TierNames {
  readonly id: string
  readonly name: string
  readonly pointsFrom: string
  readonly pointsTo: string
}

const TIER = tierNames('tier')
const TIER_FROM = tierNames('tierFrom')
const TIER_TO = tierNames('tierTo')

function tierNames (prefix: string): TierNames {
  return { id: `${prefix}Id`, name: `${prefix}Name`, pointsFrom: `${prefix}PointsFrom`, pointsTo: `${prefix}PointsTo` }
}

/** Adds a tier's id, its name and its range of points. */
function describeTier (description: Record<string, string | number>, names: TierNames, tier: unknown): void {
  if (!isJsonObject(tier)) return
  const points = isJsonObject(tier['points']) ? tier['points'] : pointsOf(tier['config'])
  put(description, names.id, tier['id'])
  put(description, names.name, tier['name'])
  put(description, names.pointsFrom, points['from'])
  put(description, names.pointsTo, points['to'])
}

function pointsOf (config: unknown): JsonObject {
  return objectOrEmpty(objectOrEmpty(config)['points'])
}

function put (description: Record<string, string | number>, name: string, value: unknown): void {
  if (typeof value === 'string' || typeof value === 'number') description[name] = value
}
