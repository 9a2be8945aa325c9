import type { DeliveryFilter, DeliveryQuery } from '../../../delivery/listing.js'
import { allOf, conditionsOf, FOUND_BY, IS_QUARANTINED, isBetween, type Dialect, type Sql } from '../../conditions.js'

/** The tables that a query reads, and the column that orders its rows. */
interface Source extends Sql {
  readonly sequence: 's.sequence' | 'd.sequence'
  /** Whether a delivery may appear more than once. */
  readonly repeats: boolean
}

/**
 * Begins with the rarest thing that the filter asks for, ordered by sequence, so that a page costs as much as it shows. Bodies are in
 * another table and are not read.
 */
function source ({ status, forwarder }: DeliveryFilter): Source {
  const named = forwarder === undefined ? { text: '', values: [] } : { text: ' AND s.forwarder = ?', values: [forwarder] }
  switch (status) {
    case 'dead':
      // A dead letter that is being replayed counts as retrying.
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

/** The event type equals the pattern; `*` matches any run of characters. */
export function eventTypeIs (pattern: string): Sql {
  return pattern.includes('*')
    ? { text: 'd.event_type GLOB ?', values: [pattern.replaceAll(/[[?]/g, '[$&]')] }
    : { text: 'd.event_type = ?', values: [pattern] }
}

/** Sorts after every character. */
const AFTER_ALL = '\u{10FFFF}'

/** An id, or a word of the event type, begins with the text. No index is needed, because a page examines a limited number of records. */
function beginsWith (text: string): Sql {
  return {
    text: `${['d.id', ...FOUND_BY].map((id) => `${id} >= ? AND ${id} < ?`).join(' OR ')} OR instr('.' || d.event_type, ?) > 0`,
    values: [...[text.toLowerCase(), ...FOUND_BY.map(() => text)].flatMap((value) => [value, `${value}${AFTER_ALL}`]), `.${text}`]
  }
}

const dialect: Dialect = { prefix: '', eventTypeIs, beginsWith }

/** The query for one page of deliveries. */
export function selectDeliveries (columns: string, { order, limit, ...query }: DeliveryQuery): Sql {
  const from = source(query.filter)
  const where = allOf(conditionsOf(dialect, query, from.sequence))
  return {
    text: `SELECT ${columns} FROM ${from.text} ${where.text}
      ${from.repeats ? `GROUP BY ${from.sequence}` : ''}
      ORDER BY ${from.sequence} ${order === 'newest first' ? 'DESC' : 'ASC'} LIMIT ?`,
    values: [...from.values, ...where.values, limit]
  }
}

/**
 * The query for the sequence of the last record that a page examines. Returns no row if fewer records are left. It counts the records in
 * the order of the page, before the filter.
 */
export function selectFloor ({ filter: { status }, ...range }: Omit<DeliveryQuery, 'order' | 'limit'>, lookAt: number): Sql {
  const where = allOf([
    ...isBetween('sequence', range),
    ...status === 'quarantined' ? [{ text: IS_QUARANTINED, values: [] }] : []
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
