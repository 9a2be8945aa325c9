import type { Delivery } from '../../../delivery/delivery.js'
import type { Replayed, ReplayRequest } from '../../../delivery/operator-requests.js'
import { transaction, type Connection } from '../database.js'
import { DELIVERY_COLUMNS, replayRefusal, toDelivery, toRow } from '../../record.js'
import { bodyReader } from './deliveries.js'
import { addReplays } from './release.js'
import { isPending } from '../../conditions.js'

/** Parses a forwarder's filter from the text that the journal stores. */
export type ParseFilter = (text: string) => (delivery: Delivery) => boolean

export interface ReplayContext {
  readonly now: number
  readonly parseFilter: ParseFilter
}

/** Marks deliveries to be forwarded again, all in one transaction and under one new replay number. They do not count as duplicates. */
export function replay (db: Connection, request: ReplayRequest, { now, parseFilter }: ReplayContext): Replayed {
  if (request.dryRun) return mark(db, request, parseFilter, () => {})
  return transaction(db, () => {
    const insert = db.prepare(`INSERT INTO waiting (forwarder, replay, sequence, lane, attempt, waited_ms, delay_ms, due_at)
      SELECT ?, ?, sequence, customer_id, 1, 0, 0, ? FROM deliveries WHERE sequence = ?`)
    let number: number | undefined
    return mark(db, request, parseFilter, (forwarder, sequence) => {
      number ??= addReplays(db, { kind: request.force === true ? 'forced' : 'replay', description: request.description, now })
      insert.run([forwarder, number, now, sequence])
    })
  })
}

function mark (db: Connection, { sequences, forwarders, finishedOnly, force = false }: ReplayRequest, parseFilter: ParseFilter, insert: (forwarder: string, sequence: number) => void): Replayed {
  const holdOf = db.prepare('SELECT hold FROM deliveries WHERE sequence = ?')
  const onFirstWay = db.prepare(`SELECT 1 FROM forwarders f CROSS JOIN deliveries d WHERE f.name = ? AND d.sequence = ? AND (${isPending('')}
    OR EXISTS (SELECT 1 FROM waiting w LEFT JOIN replays r ON r.number = w.replay
      WHERE w.sequence = d.sequence AND w.forwarder = f.name AND (w.replay = 0 OR r.kind = 'release')))`)
  const wants = force ? () => true : wanting(db, parseFilter)
  const refused: Array<Replayed['refused'][number]> = []
  let replays = 0
  let passedOver = 0
  let filtered = 0
  for (const sequence of sequences) {
    const why = replayRefusal((holdOf.get([sequence]) as { hold: number } | undefined)?.hold)
    if (why !== undefined) {
      refused.push({ sequence, why })
      continue
    }
    const wanting = forwarders.filter((forwarder) => wants(forwarder, sequence))
    filtered += forwarders.length - wanting.length
    if (wanting.length === 0) refused.push({ sequence, why: 'filtered' })
    for (const forwarder of wanting) {
      if (finishedOnly && onFirstWay.get([forwarder, sequence]) !== undefined) {
        passedOver++
        continue
      }
      insert(forwarder, sequence)
      replays++
    }
  }
  return { replays, passedOver, filtered, refused }
}

/** Returns whether a forwarder's filter, as configured last, lets a delivery through. Unreadable deliveries pass. */
function wanting (db: Connection, parseFilter: ParseFilter): (forwarder: string, sequence: number) => boolean {
  const filters = new Map((db.prepare('SELECT name, filter FROM forwarders WHERE filter IS NOT NULL').all() as Array<{ name: string, filter: string }>)
    .map(({ name, filter }) => [name, parseFilter(filter)]))
  const select = db.prepare(`SELECT ${DELIVERY_COLUMNS} FROM deliveries d WHERE sequence = ?`)
  const readBody = bodyReader(db)
  return (forwarder, sequence) => {
    const filter = filters.get(forwarder)
    if (filter === undefined) return true
    const row = toRow(select.get([sequence]))
    const delivery = row === undefined ? undefined : toDelivery(row, readBody(sequence))
    return delivery === undefined || filter(delivery)
  }
}
