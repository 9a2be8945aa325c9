import type { DeadLetter, DeadLetterQuery, Page } from '../../../delivery/listing.js'
import type { Connection } from '../database.js'
import { allOf, isBetween, type Sql } from '../../conditions.js'
import { eventTypeIs } from './select.js'

/** Dead letters examined per call. */
const LOOK_AT = 5000

interface Range extends Pick<DeadLetterQuery, 'forwarder' | 'before'> {
  readonly after?: number | undefined
}

function isOf ({ forwarder, ...range }: Range): readonly Sql[] {
  return [...isBetween('l.sequence', range), ...forwarder === undefined ? [] : [{ text: 'l.forwarder = ?', values: [forwarder] }]]
}

/** The dead letters, ordered by sequence. Without a forwarder, an index gives that order. */
function letters (forwarder: string | undefined): string {
  return `dead_letters l ${forwarder === undefined ? 'INDEXED BY dead_letters_sequence' : ''}`
}

export function deadLetters (db: Connection, { eventType, limit, ...range }: Omit<DeadLetterQuery, 'lookAt'> & Range): readonly DeadLetter[] {
  const where = allOf([...isOf(range), ...eventType === undefined ? [] : [eventTypeIs(eventType)]])
  const known = (db.prepare('SELECT count(*) AS n FROM forwarders').get([]) as { n: number }).n
  const rows = db.prepare(`SELECT l.forwarder, l.sequence, d.id, d.event_type AS eventType, d.customer_id AS customerId, d.received_at AS receivedAt,
      l.died_at AS diedAt, l.attempts, l.reason,
      EXISTS (SELECT 1 FROM waiting w WHERE w.sequence = l.sequence AND w.forwarder = l.forwarder) AS replaying
    FROM ${letters(range.forwarder)} CROSS JOIN deliveries d ON d.sequence = l.sequence ${where.text}
    ORDER BY l.sequence DESC, l.forwarder LIMIT ?`)
    .all([...where.values, limit + known]) as Array<Omit<DeadLetter, 'replaying'> & { replaying: number }>
  // A page never ends between two dead letters of one delivery, because the next page begins before its sequence.
  const last = rows[limit - 1]?.sequence
  return rows.filter((row, index) => index < limit || row.sequence === last).map((row) => ({ ...row, replaying: row.replaying === 1 }))
}

/** Returns one page. Examines at most `lookAt` dead letters. */
export function deadLetterPage (db: Connection, { lookAt = LOOK_AT, ...query }: DeadLetterQuery): Page<DeadLetter> {
  const { forwarder, before } = query
  const where = allOf(isOf({ forwarder, before }))
  const row = db.prepare(`SELECT sequence FROM ${letters(forwarder)} ${where.text} ORDER BY sequence DESC LIMIT 1 OFFSET ?`)
    .get([...where.values, lookAt - 1]) as { sequence: number } | undefined
  const floor = row?.sequence
  const items = deadLetters(db, { ...query, after: floor === undefined ? undefined : floor - 1 })
  return { items, next: items.length < query.limit ? floor : items.at(-1)?.sequence }
}
