import type { DeliveryFilter, DeliveryQuery } from '../delivery/listing.js'
import { STATE } from './record.js'

/** SQL and what is bound to it, each a `?`. */
export interface Sql {
  readonly text: string
  readonly values: ReadonlyArray<string | number>
}

/** What each engine asks of a delivery `d` in words of its own. */
export interface Dialect {
  /** What stands before the name of a table. */
  readonly prefix: string
  /** An event type, exact or with `*` for any run of characters. */
  readonly eventTypeIs: (pattern: string) => Sql
  /** An id that begins so, or a word of the event type. */
  readonly beginsWith: (text: string) => Sql
}

/** The ids by which a delivery can be found, beside its own. */
export const FOUND_BY = ['d.customer_id', 'd.campaign_id', 'd.source_id', 'd.event_id', 'd.project_id']

/** A place between two others, where these are given. */
export function isBetween (sequence: string, { after, before }: Pick<DeliveryQuery, 'after' | 'before'>): readonly Sql[] {
  return [...after === undefined ? [] : [{ text: `${sequence} > ?`, values: [after] }], ...before === undefined ? [] : [{ text: `${sequence} < ?`, values: [before] }]]
}

/** All of these conditions, with what is bound to them. */
export function allOf (conditions: readonly Sql[]): Sql {
  return {
    text: conditions.length === 0 ? '' : `WHERE ${conditions.map(({ text }) => `(${text})`).join(' AND ')}`,
    values: conditions.flatMap(({ values }) => values)
  }
}

/** Whether no mark and no dead letter stands for `d`, with a forwarder `f`. */
const isUnmarked = (prefix: string): string => `NOT EXISTS (SELECT 1 FROM ${prefix}waiting w WHERE w.sequence = d.sequence AND w.forwarder = f.name)
  AND NOT EXISTS (SELECT 1 FROM ${prefix}dead_letters l WHERE l.sequence = d.sequence AND l.forwarder = f.name)`

/** Whether an attempt of `d` with a forwarder `f` has ended in one of these ways. */
const hasEnded = (prefix: string, ...outcomes: readonly string[]): string =>
  `EXISTS (SELECT 1 FROM ${prefix}attempts a WHERE a.sequence = d.sequence AND a.forwarder = f.name AND a.outcome IN (${outcomes.map((each) => `'${each}'`).join(', ')}))`

/** Whether a forwarder `f` still has to be tried with `d` for the first time. */
export const isPending = (prefix: string): string =>
  `d.hold = ${STATE.accepted} AND d.sequence > f.cursor AND ${isUnmarked(prefix)} AND NOT ${hasEnded(prefix, 'forwarded', 'skipped', 'discarded')}`

/** Whether a forwarder `f` was not given `d`, for one of these reasons, and has not been since. */
const isPassedOver = (prefix: string, ...outcomes: readonly string[]): string => `${hasEnded(prefix, ...outcomes)} AND NOT ${hasEnded(prefix, 'forwarded')} AND ${isUnmarked(prefix)}`

/** Whether a forwarder `f` is done with `d`, and took it. */
const isForwarded = (prefix: string): string => `NOT (${isPassedOver(prefix, 'skipped', 'discarded')})
  AND (d.hold = ${STATE.released} OR d.sequence <= f.cursor AND d.sequence > f.began OR ${hasEnded(prefix, 'forwarded')}) AND ${isUnmarked(prefix)}`

/** The second half is what lets the index be used. */
export const IS_QUARANTINED = `hold = ${STATE.quarantined} AND hold <> ${STATE.accepted}`

/** What a filter asks of a delivery `d`, but for the statuses that are tables of their own: dead and retrying. */
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
      // Without a name it is through everywhere where it was to go, and that was somewhere.
      ...forwarder === undefined ? [{ text: `NOT EXISTS (SELECT 1 FROM ${prefix}forwarders f WHERE d.sequence > f.began AND NOT (${isForwarded(prefix)}) AND NOT (${isPassedOver(prefix, 'skipped', 'discarded')}))`, values: [] }] : []
    ]
    default: return []
  }
}
