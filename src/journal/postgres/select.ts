import type { DeliveryFilter, DeliveryQuery } from '../../delivery/listing.js'
import { allOf, conditionsOf, FOUND_BY, type Sql } from '../conditions.js'

/** Makes a statement of all conditions, followed by `after`, with `$1`, `$2` … for the values. `values` are those of `after`. */
export function where (before: string, conditions: readonly Sql[], after: string, ...values: ReadonlyArray<string | number>): readonly [text: string, values: ReadonlyArray<string | number>] {
  let number = 0
  const all = allOf(conditions)
  return [`${before} ${all.text} ${after}`.replaceAll('?', () => `$${++number}`), [...all.values, ...values]]
}

/** Matches an event type exactly, or with `*` for any run of characters. */
export function eventTypeIs (pattern: string): Sql {
  return pattern.includes('*')
    ? { text: 'd.event_type LIKE ?', values: [pattern.replaceAll(/[\\%_]/g, '\\$&').replaceAll('*', '%')] }
    : { text: 'd.event_type = ?', values: [pattern] }
}

function beginsWith (text: string): Sql {
  return {
    text: `${['d.id::text', ...FOUND_BY].map((id) => `starts_with(${id}, ?)`).join(' OR ')} OR strpos('.' || d.event_type, ?) > 0`,
    values: [text.toLowerCase(), ...FOUND_BY.map(() => text), `.${text}`]
  }
}

/** Makes the conditions of a query on a delivery `d`. */
export function asked (s: string, query: Omit<DeliveryQuery, 'order' | 'limit'>): readonly Sql[] {
  return [...conditionsOf({ prefix: `${s}.`, eventTypeIs, beginsWith }, query), ...isMarked(s, query.filter)]
}

function isMarked (s: string, { status, forwarder }: Pick<DeliveryFilter, 'status' | 'forwarder'>): readonly Sql[] {
  const values = forwarder === undefined ? [] : [forwarder]
  const markOf = forwarder === undefined ? '' : ' AND m.forwarder = ?'
  switch (status) {
    case 'retrying': return [{ text: `EXISTS (SELECT 1 FROM ${s}.waiting m WHERE m.sequence = d.sequence${markOf})`, values }]
    // A dead letter that is being replayed counts as retrying.
    case 'dead': return [{
      text: `EXISTS (SELECT 1 FROM ${s}.dead_letters m WHERE m.sequence = d.sequence${markOf} AND NOT EXISTS (SELECT 1 FROM ${s}.waiting w WHERE w.sequence = m.sequence AND w.forwarder = m.forwarder))`,
      values
    }]
    default: return []
  }
}

/** Returns the table to page through for a status: the one with the fewest rows. */
export function tableOf (s: string, status: DeliveryFilter['status']): string {
  if (status === 'dead') return `${s}.dead_letters d`
  return status === 'retrying' ? `${s}.waiting d` : `${s}.deliveries d`
}
