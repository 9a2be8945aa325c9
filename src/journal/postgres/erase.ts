import type { Erased, ErasedDelivery, EraseRequest } from '../../delivery/operator-requests.js'
import { checksum, STATE, TOMBSTONE } from '../record.js'
import { createTraces } from '../traces.js'
import type { Query } from './database.js'
import { BODY_COLUMNS, type StoredRow } from './reads.js'
import { isPending } from '../conditions.js'

const NOTHING = Buffer.alloc(0)

/** Texts outside the delivery's own record that may name a person, and what replaces them. */
const NOTES = [
  { table: 'attempts', column: 'detail', instead: 'NULL' },
  { table: 'dead_letters', column: 'reason', instead: "'erased'" },
  { table: 'waiting', column: 'reason', instead: 'NULL' }
] as const

/**
 * Does one small step of an erasure: looks at some deliveries, and makes a tombstone of each that names one of the people. Deliveries that a
 * forwarder or an operator has yet to deal with stay, unless `force` is set. Must be called with all locks held, so that no delivery begins to
 * wait meanwhile.
 */
export async function erase (query: Query, s: string, { people, after, limit, force, dryRun }: EraseRequest): Promise<Erased> {
  const names = createTraces(people)
  const [counter] = await query<{ value: number }>(`SELECT value FROM ${s}.counters WHERE name = 'sequence'`)
  const rows = await query<StoredRow>(`SELECT ${BODY_COLUMNS} FROM ${s}.deliveries d WHERE sequence > $1 ORDER BY sequence LIMIT $2`, [after, limit])
  const done = rows.length < limit
  const upTo = done ? Math.max(counter?.value ?? 0, after) : rows.at(-1)?.sequence ?? after
  const found = rows.filter((row) => row.hold !== STATE.erased && [row.customer_id, row.headers, row.faults, row.event_id, row.campaign_id, row.raw_body.toString()].some((text) => text !== null && names(text)))
  const sorted = await sort(query, s, found, force)
  const erased = new Set(sorted.erased.map(({ id }) => id))
  if (!dryRun) for (const row of found) if (erased.has(row.id)) await bury(query, s, row)
  // When forwarders see a new replay number, they read again the deliveries that they have in memory.
  if (!dryRun && erased.size > 0) await query(`UPDATE ${s}.counters SET value = value + 1 WHERE name = 'replay'`)
  let mentions = 0
  for (const { table, column, instead } of NOTES) {
    const notes = await query<{ place: string, text: string }>(`SELECT ctid::text AS place, ${column} AS text FROM ${s}.${table} WHERE sequence > $1 AND sequence <= $2 AND ${column} IS NOT NULL FOR UPDATE`, [after, upTo])
    const named = notes.filter(({ text }) => names(text)).map(({ place }) => place)
    mentions += named.length
    if (!dryRun && named.length > 0) await query(`UPDATE ${s}.${table} SET ${column} = ${instead} WHERE ctid = ANY ($1::tid[])`, [named])
  }
  if (after === 0) {
    const replays = (await query<{ number: number, description: string }>(`SELECT number, description FROM ${s}.replays`)).filter(({ description }) => names(description)).map(({ number }) => number)
    mentions += replays.length
    if (!dryRun && replays.length > 0) await query(`UPDATE ${s}.replays SET description = 'erased' WHERE number = ANY ($1::bigint[])`, [replays])
  }
  return { ...sorted, mentions, upTo, done }
}

async function sort (query: Query, s: string, rows: readonly StoredRow[], force: boolean): Promise<Pick<Erased, 'erased' | 'unfinished'>> {
  const states = await query<{ sequence: number, waits: boolean, dead: boolean, took: readonly string[] }>(`SELECT d.sequence,
    EXISTS (SELECT 1 FROM ${s}.waiting w WHERE w.sequence = d.sequence) OR EXISTS (SELECT 1 FROM ${s}.forwarders f WHERE ${isPending(`${s}.`)}) AS waits,
    EXISTS (SELECT 1 FROM ${s}.dead_letters l WHERE l.sequence = d.sequence) AS dead,
    ARRAY (SELECT DISTINCT forwarder FROM ${s}.attempts a WHERE a.sequence = d.sequence AND a.outcome = 'forwarded') AS took
    FROM ${s}.deliveries d WHERE d.sequence = ANY ($1::bigint[])`, [rows.map(({ sequence }) => sequence)])
  const stateOf = new Map(states.map((state) => [state.sequence, state]))
  const erased: ErasedDelivery[] = []
  const unfinished: Array<Erased['unfinished'][number]> = []
  for (const { sequence, id, hold } of rows) {
    const state = stateOf.get(sequence)
    const why = hold === STATE.quarantined ? 'quarantined' : state?.waits === true ? 'waiting' : state?.dead === true ? 'dead' : undefined
    if (why !== undefined && !force) unfinished.push({ id, why })
    else erased.push({ id, forwardedTo: state?.took ?? [] })
  }
  return { erased, unfinished }
}

/** Makes a tombstone of a delivery. The event type and the time stay, so that copies are still recognized and counts stay right. */
async function bury (query: Query, s: string, row: StoredRow): Promise<void> {
  const names = [...Object.keys(TOMBSTONE), 'checksum', 'raw_body']
  await query(`UPDATE ${s}.deliveries SET ${names.map((name, index) => `${name} = $${index + 2}`).join(', ')} WHERE sequence = $1`,
    [row.sequence, ...Object.values(TOMBSTONE), checksum({ ...row, ...TOMBSTONE }, NOTHING), NOTHING])
  await query(`UPDATE ${s}.attempts SET detail = NULL WHERE sequence = $1`, [row.sequence])
  for (const table of ['waiting', 'dead_letters']) await query(`DELETE FROM ${s}.${table} WHERE sequence = $1`, [row.sequence])
}
