import type { DeliveryFilter, DeliveryQuery } from '../delivery/listing.js'
import { STATE } from './record.js'

/** SQL and its bound values, one for each `?`. */
export interface Sql {
  readonly text: string
  readonly values: ReadonlyArray<string | number>
}

/** The conditions on a delivery `d` that each engine words in its own SQL. */
export interface Dialect {
  /** Goes before each table name: a schema, for example. */
  readonly prefix: string
  /** The event type equals the pattern; `*` matches any run of characters. */
  readonly eventTypeIs: (pattern: string) => Sql
  /** An id, or a word of the event type, begins with the text. */
  readonly beginsWith: (text: string) => Sql
}

/** The columns with other objects' ids, by which an operator can find a delivery. */
export const FOUND_BY = ['d.customer_id', 'd.campaign_id', 'd.source_id', 'd.event_id', 'd.project_id']

/** Limits a sequence to the given bounds, both exclusive. */
export function isBetween (sequence: string, { after, before }: Pick<DeliveryQuery, 'after' | 'before'>): readonly Sql[] {
  return [...after === undefined ? [] : [{ text: `${sequence} > ?`, values: [after] }], ...before === undefined ? [] : [{ text: `${sequence} < ?`, values: [before] }]]
}

/** Joins all conditions to one WHERE clause with its values. */
export function allOf (conditions: readonly Sql[]): Sql {
  return {
    text: conditions.length === 0 ? '' : `WHERE ${conditions.map(({ text }) => `(${text})`).join(' AND ')}`,
    values: conditions.flatMap(({ values }) => values)
  }
}

/** No mark and no dead letter exists for `d` at forwarder `f`. */
const isUnmarked = (prefix: string): string => `NOT EXISTS (SELECT 1 FROM ${prefix}waiting w WHERE w.sequence = d.sequence AND w.forwarder = f.name)
  AND NOT EXISTS (SELECT 1 FROM ${prefix}dead_letters l WHERE l.sequence = d.sequence AND l.forwarder = f.name)`

/** An attempt of `d` at forwarder `f` has ended with one of these outcomes. */
const hasEnded = (prefix: string, ...outcomes: readonly string[]): string =>
  `EXISTS (SELECT 1 FROM ${prefix}attempts a WHERE a.sequence = d.sequence AND a.forwarder = f.name AND a.outcome IN (${outcomes.map((each) => `'${each}'`).join(', ')}))`

/** `d` is pending at forwarder `f`: it is after the cursor, has no mark, and is not finished. */
export const isPending = (prefix: string): string =>
  `d.hold = ${STATE.accepted} AND d.sequence > f.cursor AND ${isUnmarked(prefix)} AND NOT ${hasEnded(prefix, 'forwarded', 'skipped', 'discarded')}`

/** Forwarder `f` passed `d` over for one of these reasons, and has not forwarded it since. */
const isPassedOver = (prefix: string, ...outcomes: readonly string[]): string => `${hasEnded(prefix, ...outcomes)} AND NOT ${hasEnded(prefix, 'forwarded')} AND ${isUnmarked(prefix)}`

/** Forwarder `f` has forwarded `d`, and has nothing more to do for it. */
const isForwarded = (prefix: string): string => `NOT (${isPassedOver(prefix, 'skipped', 'discarded')})
  AND (d.hold = ${STATE.released} OR d.sequence <= f.cursor AND d.sequence > f.began OR ${hasEnded(prefix, 'forwarded')}) AND ${isUnmarked(prefix)}`

/** Without the second condition, the engine would not use its partial index. */
export const IS_QUARANTINED = `hold = ${STATE.quarantined} AND hold <> ${STATE.accepted}`

/** The conditions of a filter on a delivery `d`, except the statuses dead and retrying, which have their own tables. */
export function conditionsOf ({ prefix, eventTypeIs, beginsWith }: Dialect, { filter, ...range }: Omit<DeliveryQuery, 'order' | 'limit'>, sequence = 'd.sequence'): readonly Sql[] {
  const all: Sql[] = [...isBetween(sequence, range)]
  const add = (text: string, ...values: ReadonlyArray<string | number>): void => { all.push({ text, values }) }
  if (filter.text !== undefined) all.push(beginsWith(filter.text))
  if (filter.eventType !== undefined) all.push(eventTypeIs(filter.eventType))
  if (filter.verdict !== undefined) add('d.verdict = ?', filter.verdict)
  if (filter.customerId !== undefined) add('d.customer_id = ?', filter.customerId)
  if (filter.campaignId !== undefined) add('d.campaign_id = ?', filter.campaignId)
  if (filter.sourceId !== undefined) add('d.source_id = ?', filter.sourceId)
  if (filter.since !== undefined) add('d.received_at >= ?', filter.since)
  if (filter.until !== undefined) add('d.received_at < ?', filter.until)
  return [...all, ...ofStatus(prefix, filter)]
}

function ofStatus (prefix: string, { status, forwarder }: Pick<DeliveryFilter, 'status' | 'forwarder'>): readonly Sql[] {
  const values = forwarder === undefined ? [] : [forwarder]
  const ofSome = (condition: string): Sql => ({ text: `EXISTS (SELECT 1 FROM ${prefix}forwarders f WHERE ${forwarder === undefined ? '' : 'f.name = ? AND '}${condition})`, values })
  switch (status) {
    case 'quarantined': return [{ text: IS_QUARANTINED, values: [] }]
    case 'pending': return [{ text: `d.sequence > (SELECT coalesce(min(f.cursor), 0) FROM ${prefix}forwarders f${forwarder === undefined ? '' : ' WHERE f.name = ?'})`, values }, ofSome(isPending(prefix))]
    case 'skipped':
    case 'discarded': return [ofSome(isPassedOver(prefix, status))]
    case 'forwarded': return [
      { text: `d.hold IN (${STATE.accepted}, ${STATE.released})`, values: [] },
      ofSome(isForwarded(prefix)),
      // If no forwarder is named: every forwarder that began before `d` is done with it, and at least one forwarded it.
      ...forwarder === undefined ? [{ text: `NOT EXISTS (SELECT 1 FROM ${prefix}forwarders f WHERE d.sequence > f.began AND NOT (${isForwarded(prefix)}) AND NOT (${isPassedOver(prefix, 'skipped', 'discarded')}))`, values: [] }] : []
    ]
    default: return []
  }
}
