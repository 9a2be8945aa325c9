import type { DeliveryFilter, DeliveryQuery } from '../../../delivery/operator.js'
import { STATE } from '../../record.js'

/** A query and what is bound to it. */
export interface Sql {
  readonly text: string
  readonly values: readonly (string | number)[]
}

/** Where a query looks, and what it is ordered by. */
interface Source extends Sql {
  readonly sequence: 's.sequence' | 'd.sequence'
  /** Whether a delivery may come up more than once. */
  readonly repeats: boolean
}

/**
 * The rarest thing that the filter asks for comes first, in the order of the sequences, so that a page costs as much as it
 * shows. Bodies lie elsewhere and are never touched.
 */
function source ({ status, forwarder }: DeliveryFilter): Source {
  const named = forwarder === undefined ? { text: '', values: [] } : { text: ' AND s.forwarder = ?', values: [forwarder] }
  switch (status) {
    case 'dead':
      // What is being replayed counts as retrying.
      return {
        text: `dead_letters s ${forwarder === undefined ? 'INDEXED BY dead_letters_sequence' : ''}
          CROSS JOIN deliveries d ON d.sequence = s.sequence${named.text}
            AND NOT EXISTS (SELECT 1 FROM waiting w WHERE w.sequence = s.sequence AND w.forwarder = s.forwarder)`,
        values: named.values,
        sequence: 's.sequence',
        repeats: forwarder === undefined
      }
    case 'retrying':
      return {
        text: `waiting s INDEXED BY waiting_sequence CROSS JOIN deliveries d ON d.sequence = s.sequence${named.text}`,
        values: named.values,
        sequence: 's.sequence',
        repeats: true
      }
    case 'quarantined':
      return { text: 'deliveries d INDEXED BY deliveries_held', values: [], sequence: 'd.sequence', repeats: false }
    default:
      return { text: 'deliveries d', values: [], sequence: 'd.sequence', repeats: false }
  }
}

/** Whether no mark and no dead letter stands for `d`, with a forwarder `f`. */
const IS_UNMARKED = `NOT EXISTS (SELECT 1 FROM waiting w WHERE w.sequence = d.sequence AND w.forwarder = f.name)
  AND NOT EXISTS (SELECT 1 FROM dead_letters l WHERE l.sequence = d.sequence AND l.forwarder = f.name)`

/** Whether an attempt of `d` with a forwarder `f` has ended in one of these ways. */
function hasEnded (outcomes: string): string {
  return `EXISTS (SELECT 1 FROM attempts a WHERE a.sequence = d.sequence AND a.forwarder = f.name AND a.outcome IN (${outcomes}))`
}

/** Whether a forwarder `f` still has to be tried with `d` for the first time. */
export const IS_PENDING = `d.hold = ${STATE.accepted} AND d.sequence > f.cursor AND ${IS_UNMARKED} AND NOT ${hasEnded("'forwarded', 'skipped', 'discarded'")}`

/** Whether a forwarder `f` was not given `d`, for one of these reasons, and has not been since. */
function isPassedOver (outcomes: string): string {
  return `${hasEnded(outcomes)} AND NOT ${hasEnded("'forwarded'")} AND ${IS_UNMARKED}`
}

/** Whether a forwarder `f` is done with `d`, and took it. */
const IS_FORWARDED = `NOT (${isPassedOver("'skipped', 'discarded'")})
  AND (d.hold = ${STATE.released} OR d.sequence <= f.cursor AND d.sequence > f.began OR ${hasEnded("'forwarded'")}) AND ${IS_UNMARKED}`

/** A place between two others, where these are given. */
export function isBetween (sequence: string, { after, before }: Pick<DeliveryQuery, 'after' | 'before'>): readonly Sql[] {
  return [
    ...after === undefined ? [] : [{ text: `${sequence} > ?`, values: [after] }],
    ...before === undefined ? [] : [{ text: `${sequence} < ?`, values: [before] }]
  ]
}

/** All of these conditions, with what is bound to them. */
export function allOf (conditions: readonly Sql[]): Sql {
  return {
    text: conditions.length === 0 ? '' : `WHERE ${conditions.map(({ text }) => `(${text})`).join(' AND ')}`,
    values: conditions.flatMap(({ values }) => values)
  }
}

/** An event type, exact or with `*` for any run of characters. */
export function eventTypeIs (pattern: string): Sql {
  return pattern.includes('*')
    ? { text: 'd.event_type GLOB ?', values: [pattern.replaceAll(/[[?]/g, '[$&]')] }
    : { text: 'd.event_type = ?', values: [pattern] }
}

/** Beyond every character. */
const AFTER_ALL = '\u{10FFFF}'

/** An id that begins so, or a word of the event type. What is looked at is bounded by the page, so that no index is needed. */
function beginsWith (text: string): Sql {
  const ids = ['d.customer_id', 'd.campaign_id', 'd.source_id', 'd.event_id', 'd.project_id']
  return {
    text: `${['d.id', ...ids].map((id) => `${id} >= ? AND ${id} < ?`).join(' OR ')} OR instr('.' || d.event_type, ?) > 0`,
    values: [...[text.toLowerCase(), ...ids.map(() => text)].flatMap((value) => [value, `${value}${AFTER_ALL}`]), `.${text}`]
  }
}

function conditions ({ filter, ...range }: Omit<DeliveryQuery, 'order' | 'limit'>, sequence: string): readonly Sql[] {
  const all = [...isBetween(sequence, range)]
  const add = (text: string, ...values: Array<string | number>): void => { all.push({ text, values }) }
  if (filter.text !== undefined) all.push(beginsWith(filter.text))
  if (filter.eventType !== undefined) all.push(eventTypeIs(filter.eventType))
  if (filter.verdict !== undefined) add('d.verdict = ?', filter.verdict)
  if (filter.customerId !== undefined) add('d.customer_id = ?', filter.customerId)
  if (filter.campaignId !== undefined) add('d.campaign_id = ?', filter.campaignId)
  if (filter.sourceId !== undefined) add('d.source_id = ?', filter.sourceId)
  if (filter.since !== undefined) add('d.received_at >= ?', filter.since)
  if (filter.until !== undefined) add('d.received_at < ?', filter.until)
  const named = filter.forwarder === undefined ? { text: '', values: [] } : { text: 'f.name = ? AND ', values: [filter.forwarder] }
  switch (filter.status) {
    case 'quarantined':
      // The second half is what lets the index be used.
      add(`d.hold = ${STATE.quarantined} AND d.hold <> ${STATE.accepted}`)
      break
    case 'pending':
      add(`d.sequence > (SELECT coalesce(min(f.cursor), 0) FROM forwarders f${filter.forwarder === undefined ? '' : ' WHERE f.name = ?'})`, ...named.values)
      add(`EXISTS (SELECT 1 FROM forwarders f WHERE ${named.text}${IS_PENDING})`, ...named.values)
      break
    case 'skipped':
    case 'discarded':
      add(`EXISTS (SELECT 1 FROM forwarders f WHERE ${named.text}${isPassedOver(`'${filter.status}'`)})`, ...named.values)
      break
    case 'forwarded':
      add(`d.hold IN (${STATE.accepted}, ${STATE.released})`)
      // Without a name it is through everywhere where it was to go, and that was somewhere.
      add(`EXISTS (SELECT 1 FROM forwarders f WHERE ${named.text}${IS_FORWARDED})`, ...named.values)
      if (filter.forwarder === undefined) add(`NOT EXISTS (SELECT 1 FROM forwarders f WHERE d.sequence > f.began AND NOT (${IS_FORWARDED}) AND NOT (${isPassedOver("'skipped', 'discarded'")}))`)
  }
  return all
}

/** The query for a page of deliveries. */
export function selectDeliveries (columns: string, { order, limit, ...query }: DeliveryQuery): Sql {
  const from = source(query.filter)
  const where = allOf(conditions(query, from.sequence))
  return {
    text: `SELECT ${columns} FROM ${from.text} ${where.text}
      ${from.repeats ? `GROUP BY ${from.sequence}` : ''}
      ORDER BY ${from.sequence} ${order === 'newest first' ? 'DESC' : 'ASC'} LIMIT ?`,
    values: [...from.values, ...where.values, limit]
  }
}

/**
 * The query for the sequence of the last record that a page looks at; no row where it gets to the end before. It counts
 * before anything is asked of the deliveries, along the order in which the page goes.
 */
export function selectFloor ({ filter: { status }, ...range }: Omit<DeliveryQuery, 'order' | 'limit'>, lookAt: number): Sql {
  const where = allOf([
    ...isBetween('sequence', range),
    ...status === 'quarantined' ? [{ text: `hold = ${STATE.quarantined} AND hold <> ${STATE.accepted}`, values: [] }] : []
  ])
  return { text: `SELECT sequence FROM ${tableOf(status)} ${where.text} ORDER BY sequence DESC LIMIT 1 OFFSET ?`, values: [...where.values, lookAt - 1] }
}

function tableOf (status: DeliveryFilter['status']): string {
  switch (status) {
    case 'dead': return 'dead_letters INDEXED BY dead_letters_sequence'
    case 'retrying': return 'waiting INDEXED BY waiting_sequence'
    case 'quarantined': return 'deliveries INDEXED BY deliveries_held'
    default: return 'deliveries'
  }
}
