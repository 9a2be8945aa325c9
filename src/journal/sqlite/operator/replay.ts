import type { Replayed, ReplayRequest } from '../../../delivery/operator.js'
import type { Connection } from '../database.js'
import { HOLD } from '../record.js'
import { transaction } from '../transaction.js'
import { addReplays } from './release.js'
import { IS_PENDING } from './select.js'

/** Marks deliveries to be forwarded again, all in one transaction under a number of their own: nothing takes them for duplicates. */
export function replay (db: Connection, request: ReplayRequest, now: number): Replayed {
  if (request.dryRun) return mark(db, request, () => {})
  return transaction(db, () => {
    const insert = db.prepare(`INSERT INTO waiting (forwarder, replay, sequence, lane, attempt, waited_ms, delay_ms, due_at)
      SELECT ?, ?, sequence, customer_id, 1, 0, 0, ? FROM deliveries WHERE sequence = ?`)
    let number: number | undefined
    return mark(db, request, (forwarder, sequence) => {
      number ??= addReplays(db, { kind: 'replay', description: request.description, now })
      insert.run([forwarder, number, now, sequence])
    })
  })
}

function mark (db: Connection, { sequences, forwarders, finishedOnly }: ReplayRequest, insert: (forwarder: string, sequence: number) => void): Replayed {
  const holdOf = db.prepare('SELECT hold FROM deliveries WHERE sequence = ?')
  const onFirstWay = db.prepare(`SELECT 1 FROM forwarders f CROSS JOIN deliveries d WHERE f.name = ? AND d.sequence = ? AND (${IS_PENDING}
    OR EXISTS (SELECT 1 FROM waiting w LEFT JOIN replays r ON r.number = w.replay
      WHERE w.sequence = d.sequence AND w.forwarder = f.name AND (w.replay = 0 OR r.kind = 'release')))`)
  const refused: Array<Replayed['refused'][number]> = []
  let replays = 0
  let passedOver = 0
  for (const sequence of sequences) {
    const why = refusal((holdOf.get([sequence]) as { hold: number } | undefined)?.hold)
    if (why !== undefined) {
      refused.push({ sequence, why })
      continue
    }
    for (const forwarder of forwarders) {
      if (finishedOnly && onFirstWay.get([forwarder, sequence]) !== undefined) {
        passedOver++
        continue
      }
      insert(forwarder, sequence)
      replays++
    }
  }
  return { replays, passedOver, refused }
}

function refusal (hold: number | undefined): Replayed['refused'][number]['why'] | undefined {
  if (hold === undefined) return 'gone'
  if (hold === HOLD.quarantined) return 'quarantined'
  return hold === HOLD.damaged ? 'damaged' : undefined
}
