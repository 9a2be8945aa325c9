import type { DeliveryFilter, DeliveryQuery } from '../../delivery/operator.js'
import { STATE } from '../record.js'

/** A condition and what is bound to it, each a `?`. */
export interface Condition {
  readonly text: string
  readonly values: ReadonlyArray<string | number>
}

/** Whether no mark and no dead letter stands for `d`, with a forwarder `f`. */
const isUnmarked = (s: string): string => `NOT EXISTS (SELECT 1 FROM ${s}.waiting w WHERE w.sequence = d.sequence AND w.forwarder = f.name)
  AND NOT EXISTS (SELECT 1 FROM ${s}.dead_letters l WHERE l.sequence = d.sequence AND l.forwarder = f.name)`

/** Whether an attempt of `d` with a forwarder `f` has ended in one of these ways. */
const hasEnded = (s: string, ...outcomes: readonly string[]): string =>
  `EXISTS (SELECT 1 FROM ${s}.attempts a WHERE a.sequence = d.sequence AND a.forwarder = f.name AND a.outcome IN (${outcomes.map((each) => `'${each}'`).join(', ')}))`

/** Whether a forwarder `f` still has to be tried with `d` for the first time. */
export const isPending = (s: string): string =>
  `d.hold = ${STATE.accepted} AND d.sequence > f.cursor AND ${isUnmarked(s)} AND NOT ${hasEnded(s, 'forwarded', 'skipped', 'discarded')}`

/** Whether a forwarder `f` was not given `d`, for one of these reasons, and has not been since. */
const isPassedOver = (s: string, ...outcomes: readonly string[]): string => `${hasEnded(s, ...outcomes)} AND NOT ${hasEnded(s, 'forwarded')} AND ${isUnmarked(s)}`

/** Whether a forwarder `f` is done with `d`, and took it. */
const isForwarded = (s: string): string => `NOT (${isPassedOver(s, 'skipped', 'discarded')})
  AND (d.hold = ${STATE.released} OR d.sequence <= f.cursor AND d.sequence > f.began OR ${hasEnded(s, 'forwarded')}) AND ${isUnmarked(s)}`

export function isBetween (sequence: string, { after, before }: Pick<DeliveryQuery, 'after' | 'before'>): readonly Condition[] {
  return [...after === undefined ? [] : [{ text: `${sequence} > ?`, values: [after] }], ...before === undefined ? [] : [{ text: `${sequence} < ?`, values: [before] }]]
}

/** An event type, exact or with `*` for any run of characters. */
export function eventTypeIs (pattern: string): Condition {
  return pattern.includes('*')
    ? { text: 'd.event_type LIKE ?', values: [pattern.replaceAll(/[\\%_]/g, '\\$&').replaceAll('*', '%')] }
    : { text: 'd.event_type = ?', values: [pattern] }
}

/** An id that begins so, or a word of the event type. */
function beginsWith (text: string): Condition {
  const ids = ['d.customer_id', 'd.campaign_id', 'd.source_id', 'd.event_id', 'd.project_id']
  return {
    text: `${['d.id::text', ...ids].map((id) => `starts_with(${id}, ?)`).join(' OR ')} OR strpos('.' || d.event_type, ?) > 0`,
    values: [text.toLowerCase(), ...ids.map(() => text), `.${text}`]
  }
}

/** All of these conditions as one, with `$1`, `$2` … for what is bound, and after it whatever follows. */
export function where (before: string, conditions: readonly Condition[], after: string, ...values: ReadonlyArray<string | number>): readonly [text: string, values: ReadonlyArray<string | number>] {
  let number = 0
  const all = conditions.length === 0 ? '' : `WHERE ${conditions.map(({ text }) => `(${text})`).join(' AND ')}`
  return [`${before} ${all} ${after}`.replaceAll('?', () => `$${++number}`), [...conditions.flatMap((each) => each.values), ...values]]
}

/** What a filter asks of a delivery `d`. */
export function conditionsOf (s: string, { filter, ...range }: Omit<DeliveryQuery, 'order' | 'limit'>): readonly Condition[] {
  const all: Condition[] = [...isBetween('d.sequence', range)]
  const add = (text: string, ...values: ReadonlyArray<string | number>): void => { all.push({ text, values }) }
  if (filter.text !== undefined) all.push(beginsWith(filter.text))
  if (filter.eventType !== undefined) all.push(eventTypeIs(filter.eventType))
  if (filter.verdict !== undefined) add('d.verdict = ?', filter.verdict)
  if (filter.customerId !== undefined) add('d.customer_id = ?', filter.customerId)
  if (filter.campaignId !== undefined) add('d.campaign_id = ?', filter.campaignId)
  if (filter.sourceId !== undefined) add('d.source_id = ?', filter.sourceId)
  if (filter.since !== undefined) add('d.received_at >= ?', filter.since)
  if (filter.until !== undefined) add('d.received_at < ?', filter.until)
  return [...all, ...ofStatus(s, filter)]
}

function ofStatus (s: string, { status, forwarder }: Pick<DeliveryFilter, 'status' | 'forwarder'>): readonly Condition[] {
  const values = forwarder === undefined ? [] : [forwarder]
  const named = forwarder === undefined ? '' : 'f.name = ? AND '
  const markOf = forwarder === undefined ? '' : ' AND m.forwarder = ?'
  switch (status) {
    case undefined: return []
    case 'quarantined': return [{ text: `d.hold = ${STATE.quarantined} AND d.hold <> ${STATE.accepted}`, values: [] }]
    case 'retrying': return [{ text: `EXISTS (SELECT 1 FROM ${s}.waiting m WHERE m.sequence = d.sequence${markOf})`, values }]
    // What is being replayed counts as retrying.
    case 'dead': return [{
      text: `EXISTS (SELECT 1 FROM ${s}.dead_letters m WHERE m.sequence = d.sequence${markOf} AND NOT EXISTS (SELECT 1 FROM ${s}.waiting w WHERE w.sequence = m.sequence AND w.forwarder = m.forwarder))`,
      values
    }]
    case 'pending': return [
      { text: `d.sequence > (SELECT coalesce(min(f.cursor), 0) FROM ${s}.forwarders f${forwarder === undefined ? '' : ' WHERE f.name = ?'})`, values },
      { text: `EXISTS (SELECT 1 FROM ${s}.forwarders f WHERE ${named}${isPending(s)})`, values }
    ]
    case 'skipped':
    case 'discarded': return [{ text: `EXISTS (SELECT 1 FROM ${s}.forwarders f WHERE ${named}${isPassedOver(s, status)})`, values }]
    case 'forwarded': return [
      { text: `d.hold IN (${STATE.accepted}, ${STATE.released})`, values: [] },
      { text: `EXISTS (SELECT 1 FROM ${s}.forwarders f WHERE ${named}${isForwarded(s)})`, values },
      // Without a name it is through everywhere where it was to go, and that was somewhere.
      ...forwarder === undefined ? [{ text: `NOT EXISTS (SELECT 1 FROM ${s}.forwarders f WHERE d.sequence > f.began AND NOT (${isForwarded(s)}) AND NOT (${isPassedOver(s, 'skipped', 'discarded')}))`, values: [] }] : []
    ]
  }
}

/** Where a page of a status is counted along: the rarest thing that it asks for. */
export function tableOf (s: string, status: DeliveryFilter['status']): string {
  if (status === 'dead') return `${s}.dead_letters d`
  return status === 'retrying' ? `${s}.waiting d` : `${s}.deliveries d`
}
