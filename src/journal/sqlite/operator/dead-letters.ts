import type { DeadLetter, DeadLetterQuery, Page } from '../../../delivery/operator.js'
import type { Connection } from '../database.js'
import { eventTypeIs, type Sql } from './select.js'

/** Dead letters that one call looks at. */
const LOOK_AT = 5000

export function deadLetters (db: Connection, { forwarder, eventType, before, after, limit }: DeadLetterQuery & { readonly after?: number | undefined }): readonly DeadLetter[] {
  const where: Sql[] = [
    ...after === undefined ? [] : [{ text: 'l.sequence > ?', values: [after] }],
    ...before === undefined ? [] : [{ text: 'l.sequence < ?', values: [before] }],
    ...forwarder === undefined ? [] : [{ text: 'l.forwarder = ?', values: [forwarder] }],
    ...eventType === undefined ? [] : [eventTypeIs(eventType)]
  ]
  const known = (db.prepare('SELECT count(*) AS n FROM forwarders').get([]) as { n: number }).n
  const rows = db.prepare(`SELECT l.forwarder, l.sequence, d.id, d.event_type AS eventType, d.customer_id AS customerId, d.received_at AS receivedAt,
      l.died_at AS diedAt, l.attempts, l.reason,
      EXISTS (SELECT 1 FROM waiting w WHERE w.sequence = l.sequence AND w.forwarder = l.forwarder) AS replaying
    FROM dead_letters l ${forwarder === undefined ? 'INDEXED BY dead_letters_sequence' : ''} CROSS JOIN deliveries d ON d.sequence = l.sequence
    ${where.length === 0 ? '' : `WHERE ${where.map(({ text }) => text).join(' AND ')}`}
    ORDER BY l.sequence DESC, l.forwarder LIMIT ?`)
    .all([...where.flatMap(({ values }) => values), limit + known]) as Array<Omit<DeadLetter, 'replaying'> & { replaying: number }>
  // A page never ends between two forwarders' letters of one delivery: the next one begins before its sequence.
  const last = rows[limit - 1]?.sequence
  return rows.filter((row, index) => index < limit || row.sequence === last).map((row) => ({ ...row, replaying: row.replaying === 1 }))
}

/** As much as there is in so many dead letters. */
export function deadLetterPage (db: Connection, { lookAt = LOOK_AT, ...query }: DeadLetterQuery): Page<DeadLetter> {
  const { forwarder, before } = query
  const where: Sql[] = [
    ...before === undefined ? [] : [{ text: 'sequence < ?', values: [before] }],
    ...forwarder === undefined ? [] : [{ text: 'forwarder = ?', values: [forwarder] }]
  ]
  const row = db.prepare(`SELECT sequence FROM dead_letters ${forwarder === undefined ? 'INDEXED BY dead_letters_sequence' : ''}
    ${where.length === 0 ? '' : `WHERE ${where.map(({ text }) => text).join(' AND ')}`} ORDER BY sequence DESC LIMIT 1 OFFSET ?`)
    .get([...where.flatMap(({ values }) => values), lookAt - 1]) as { sequence: number } | undefined
  const floor = row?.sequence
  const items = deadLetters(db, { ...query, after: floor === undefined ? undefined : floor - 1 })
  return { items, next: items.length < query.limit ? floor : items.at(-1)?.sequence }
}
