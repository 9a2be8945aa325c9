import { describeEvent } from './describe-event.js'
import type { Difference } from './drift.js'

interface Direction {
  /** 1: up, -1: down. */
  readonly sign: 1 | -1
  readonly wrong: Difference
}

/** The events that move a customer from one tier to another. */
const directions: ReadonlyMap<string, Direction> = new Map([
  directionOf('customer.loyalty.tier.upgraded', 1, 'an upgrade: points that go up', 'points that go down'),
  directionOf('customer.loyalty.tier.downgraded', -1, 'a downgrade: points that go down', 'points that go up')
])

function directionOf (eventType: string, sign: Direction['sign'], expected: string, seen: string): readonly [string, Direction] {
  return [eventType, { sign, wrong: { eventType, kind: 'wrong direction', pointer: '/loyalty_tier_to', expected, seen } }]
}

/**
 * Returns a difference if a raw payload moves the customer in the other direction than its event type says. Only the URL gives a raw payload
 * its event type. Upgrades and downgrades have the same keys. They differ only in the points at which their tiers begin or, if those are
 * equal or absent, end.
 */
export function findWrongDirection (eventType: string, body: unknown): Difference | undefined {
  const direction = directions.get(eventType)
  if (direction === undefined) return undefined
  const { tierFromPointsFrom, tierToPointsFrom, tierFromPointsTo, tierToPointsTo } = describeEvent(body)
  const way = compare(tierFromPointsFrom, tierToPointsFrom) || compare(tierFromPointsTo, tierToPointsTo)
  return way === -direction.sign ? direction.wrong : undefined
}

/** Returns 1 if the points go up, -1 if they go down, and 0 if that is not known. */
function compare (from: unknown, to: unknown): number {
  return typeof from === 'number' && typeof to === 'number' ? Math.sign(to - from) : 0
}
