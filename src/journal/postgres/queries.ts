import type { DeadLetter, DeadLetterQuery, DeliveryDetails, DeliveryQuery, ForwarderStatus, Found, ListedDelivery, Page, RecordedTry } from '../../delivery/listing.js'
import type { KnownForwarder } from '../../delivery/operator-requests.js'
import type { Operator } from '../../delivery/operator.js'
import { IS_QUARANTINED, isBetween, type Sql } from '../conditions.js'
import { statusAt, type DeadRow, type ForwarderRow, type WaitingRow } from '../delivery-status.js'
import { DELIVERY_COLUMNS, STATE, parseJson, toDelivery, toListed, type DeliveryRow } from '../record.js'
import type { Database, Query } from './database.js'
import { usedBytes } from './prune.js'
import { BODY_COLUMNS, readUnfinished, type StoredRow } from './reads.js'
import { soundText } from './sound-json.js'
import { asked, eventTypeIs, tableOf, where } from './select.js'

/** How many records, or dead letters, one call looks at. */
const LOOK_AT = 5000
const AMBIGUOUS_LIMIT = 5
/** Sorts after every character of an id. */
const AFTER_IDS = '\u{10FFFF}'

type Queries = Pick<Operator,
  'isServed' | 'lastSequence' | 'countQuarantined' | 'list' | 'page' | 'find' | 'read' | 'deadLetters' | 'deadLetterPage' | 'unfinished' | 'forwarders' | 'verify' | 'countPrunable'>

interface Mark {
  readonly sequence: number
  readonly forwarder: string
}

/** Makes the operator's calls that only read. */
export function createQueries (database: Database): Queries {
  const { schema: s } = database
  const query: Query = async (text, values = []) => await database.query(text, values.map((value) => typeof value === 'string' ? soundText(value) : value))

  async function one<T> (text: string, values: readonly unknown[] = []): Promise<T | undefined> {
    const [row] = await query<T>(text, values)
    return row
  }

  async function number (text: string, values: readonly unknown[] = []): Promise<number> {
    return (await one<{ n: number }>(text, values))?.n ?? 0
  }

  const lastSequence = async (): Promise<number> => await number(`SELECT value AS n FROM ${s}.counters WHERE name = 'sequence'`)

  /** Returns a function that gives the statuses of each delivery at all known forwarders. */
  async function statusesOf (rows: readonly DeliveryRow[]): Promise<(row: DeliveryRow) => readonly ForwarderStatus[]> {
    const sequences = [rows.map(({ sequence }) => sequence)]
    const [forwarders, waits, deaths, ends] = await Promise.all([
      query<ForwarderRow>(`SELECT name, cursor, began FROM ${s}.forwarders ORDER BY name`),
      // Sorted so that the mark that is due first comes last, because the last one counts if a delivery waits more than once.
      query<Mark & WaitingRow>(`SELECT sequence, forwarder, replay, (SELECT kind FROM ${s}.replays r WHERE r.number = replay) AS kind, attempt, due_at, reason
        FROM ${s}.waiting WHERE sequence = ANY ($1::bigint[]) ORDER BY due_at DESC`, sequences),
      query<Mark & DeadRow>(`SELECT sequence, forwarder, attempts, died_at, reason FROM ${s}.dead_letters WHERE sequence = ANY ($1::bigint[])`, sequences),
      query<Mark & { outcome: 'forwarded' | 'skipped' | 'discarded' }>(`SELECT sequence, forwarder, outcome FROM ${s}.attempts WHERE sequence = ANY ($1::bigint[]) AND outcome IN ('forwarded', 'skipped', 'discarded') ORDER BY number`, sequences)
    ])
    const waitOf = byPlace(waits)
    const deathOf = byPlace(deaths)
    const successes = byPlace(ends.filter(({ outcome }) => outcome === 'forwarded'))
    const passed = byPlace(ends.flatMap(({ outcome, ...mark }) => outcome === 'forwarded' ? [] : [{ ...mark, outcome }]))

    return (row) => forwarders.map((forwarder) => {
      const place = placeOf({ forwarder: forwarder.name, sequence: row.sequence })
      return statusAt(row, forwarder, { wait: waitOf.get(place), death: deathOf.get(place), wasForwarded: successes.has(place), passed: passed.get(place)?.outcome })
    })
  }

  async function listed<T extends DeliveryRow> (rows: readonly T[]): Promise<ReadonlyArray<readonly [ListedDelivery, T]>> {
    const statuses = await statusesOf(rows)
    return rows.map((row) => [toListed(row, statuses(row)), row])
  }

  async function list ({ order, limit, ...request }: DeliveryQuery): Promise<readonly ListedDelivery[]> {
    const rows = await query<DeliveryRow>(...where(`SELECT ${DELIVERY_COLUMNS} FROM ${s}.deliveries d`, asked(s, request), `ORDER BY d.sequence ${order === 'newest first' ? 'DESC' : 'ASC'} LIMIT ?`, limit))
    return (await listed(rows)).map(([delivery]) => delivery)
  }

  async function deadLetters ({ forwarder, eventType, limit, ...range }: Omit<DeadLetterQuery, 'lookAt'> & { readonly after?: number | undefined }): Promise<readonly DeadLetter[]> {
    const known = await number(`SELECT count(*) AS n FROM ${s}.forwarders`)
    const rows = await query<DeadLetter>(...where(`SELECT l.forwarder, l.sequence, d.id, d.event_type AS "eventType", d.customer_id AS "customerId", d.received_at AS "receivedAt", l.died_at AS "diedAt",
      l.attempts, l.reason, EXISTS (SELECT 1 FROM ${s}.waiting w WHERE w.sequence = l.sequence AND w.forwarder = l.forwarder) AS replaying
      FROM ${s}.dead_letters l JOIN ${s}.deliveries d ON d.sequence = l.sequence`,
    [...isBetween('l.sequence', range), ...ofForwarder(forwarder), ...eventType === undefined ? [] : [eventTypeIs(eventType)]], 'ORDER BY l.sequence DESC, l.forwarder LIMIT ?', limit + known))
    // A page never ends between dead letters of one delivery at two forwarders, because the next page begins before that sequence.
    const last = rows[limit - 1]?.sequence
    return rows.filter((row, index) => index < limit || row.sequence === last)
  }

  async function floorOf (table: string, conditions: readonly Sql[], lookAt: number): Promise<number | undefined> {
    const [row] = await query<{ sequence: number }>(...where(`SELECT sequence FROM ${table}`, conditions, 'ORDER BY sequence DESC LIMIT 1 OFFSET ?', lookAt - 1))
    return row?.sequence
  }

  return {
    isServed: async () => await number(`SELECT count(*) AS n FROM ${s}.members WHERE greatest(lease_until, seen_at + 10000) > ${s}.now_ms()`) > 0,
    lastSequence,
    countQuarantined: async () => await number(`SELECT count(*) AS n FROM ${s}.deliveries WHERE ${IS_QUARANTINED}`),
    list,

    async page ({ lookAt = LOOK_AT, ...request }): Promise<Page<ListedDelivery>> {
      const { filter: { status } } = request
      const conditions = [...isBetween('sequence', request), ...status === 'quarantined' ? [{ text: IS_QUARANTINED, values: [] }] : []]
      const floor = await floorOf(tableOf(s, status), conditions, lookAt)
      const found = await list({ ...request, after: floor === undefined ? request.after : floor - 1, limit: request.limit + 1, order: 'newest first' })
      const items = found.slice(0, request.limit)
      return { items, next: found.length > request.limit ? items.at(-1)?.sequence : floor }
    },

    async find (idPrefix): Promise<Found> {
      const prefix = idPrefix.toLowerCase()
      const rows = await query<{ id: string, sequence: number }>(`SELECT id, sequence FROM ${s}.deliveries WHERE id >= $1 AND id < $2 ORDER BY id LIMIT $3`, [prefix, `${prefix}${AFTER_IDS}`, AMBIGUOUS_LIMIT])
      const [first] = rows
      if (first === undefined) return { status: 'unknown' }
      if (rows.length > 1 && first.id !== prefix) return { status: 'ambiguous', ids: rows.map(({ id }) => id) }
      return { status: 'found', sequence: first.sequence, id: first.id }
    },

    async read (sequence): Promise<DeliveryDetails | undefined> {
      const [found] = await listed(await query<StoredRow>(`SELECT ${BODY_COLUMNS} FROM ${s}.deliveries d WHERE sequence = $1`, [sequence]))
      if (found === undefined) return undefined
      const [delivery, row] = found
      const attempts = await query<Omit<RecordedTry, 'replay'> & { replay: number, kind: string | null }>(`SELECT forwarder, replay, (SELECT kind FROM ${s}.replays r WHERE r.number = replay) AS kind, attempt, started_at AS "startedAt",
        duration_ms AS "durationMs", outcome, detail FROM ${s}.attempts WHERE sequence = $1 ORDER BY started_at, number`, [sequence])
      return {
        ...delivery,
        headers: parseJson<Record<string, string>>(row.headers) ?? {},
        rawBody: row.raw_body,
        damaged: toDelivery(row, row.raw_body) === undefined,
        attempts: attempts.map(({ replay, kind, ...each }) => ({ ...each, replay: replay > 0 && kind !== 'release' }))
      }
    },

    deadLetters,

    async deadLetterPage ({ lookAt = LOOK_AT, ...request }): Promise<Page<DeadLetter>> {
      const floor = await floorOf(`${s}.dead_letters l`, [...isBetween('sequence', request), ...ofForwarder(request.forwarder)], lookAt)
      const items = await deadLetters({ ...request, after: floor === undefined ? undefined : floor - 1 })
      return { items, next: items.length < request.limit ? floor : items.at(-1)?.sequence }
    },

    unfinished: async (request) => await readUnfinished(database, request),

    async forwarders (options): Promise<readonly KnownForwarder[]> {
      const marked = (table: string): string => `SELECT sequence FROM ${s}.${table} WHERE forwarder = f.name`
      const rows = await query<KnownForwarder & { waiting_at: number | null, pending_at: number | null }>(`SELECT f.name, f.added_at AS "addedAt", f.cursor, f.breaker, f.paused, f.home,
        (SELECT m.name FROM ${s}.members m WHERE m.id = f.holder AND m.lease_until > ${s}.now_ms()) AS leader,
        (SELECT count(*) FROM ${s}.waiting w WHERE w.forwarder = f.name) AS retrying, (SELECT count(*) FROM ${s}.dead_letters l WHERE l.forwarder = f.name) AS dead,
        (SELECT count(*) FROM ${s}.deliveries d WHERE d.sequence > f.cursor) - (SELECT count(*) FROM ${s}.deliveries d WHERE d.hold <> ${STATE.accepted} AND d.sequence > f.cursor)
          - (SELECT count(*) FROM (${marked('waiting')} AND sequence > f.cursor UNION ${marked('dead_letters')} AND sequence > f.cursor) m JOIN ${s}.deliveries d ON d.sequence = m.sequence AND d.hold = ${STATE.accepted}) AS pending,
        (SELECT d.received_at FROM ${s}.waiting w JOIN ${s}.deliveries d ON d.sequence = w.sequence WHERE w.forwarder = f.name AND w.replay = 0 ORDER BY w.sequence LIMIT 1) AS waiting_at,
        (SELECT received_at FROM ${s}.deliveries d WHERE sequence > f.cursor AND hold = ${STATE.accepted} AND NOT EXISTS (SELECT 1 FROM ${s}.dead_letters l WHERE l.forwarder = f.name AND l.sequence = d.sequence)
          ORDER BY sequence LIMIT 1) AS pending_at
        FROM ${s}.forwarders f WHERE f.name <> ALL ($1) ORDER BY f.name`, [options?.except ?? []])
      return rows.map(({ waiting_at: waiting, pending_at: pending, ...row }) => ({ ...row, oldestReceivedAt: waiting === null || pending === null ? waiting ?? pending : Math.min(waiting, pending) }))
    },

    async verify ({ after, limit }) {
      const last = await lastSequence()
      const rows = await query<StoredRow>(`SELECT ${BODY_COLUMNS} FROM ${s}.deliveries d WHERE sequence > $1 ORDER BY sequence LIMIT $2`, [after, limit])
      const damaged = rows.filter((row) => toDelivery(row, row.raw_body) === undefined).map(({ sequence, id }) => ({ sequence, id }))
      const upTo = rows.length < limit ? Math.max(last, after) : rows.at(-1)?.sequence ?? last
      return { checked: rows.length, upTo, damaged, done: upTo >= last }
    },

    countPrunable: async ({ receivedBefore }) => ({
      deliveries: await number(`SELECT count(*) AS n FROM ${s}.deliveries d WHERE d.sequence <= (SELECT coalesce(min(cursor), 9223372036854775807) FROM ${s}.forwarders) AND d.hold <> ${STATE.quarantined} AND d.received_at < $1
        AND NOT EXISTS (SELECT 1 FROM ${s}.waiting w WHERE w.sequence = d.sequence) AND NOT EXISTS (SELECT 1 FROM ${s}.dead_letters l WHERE l.sequence = d.sequence)`, [receivedBefore]),
      usedBytes: await usedBytes(query, s)
    })
  }
}

function ofForwarder (forwarder: string | undefined): readonly Sql[] {
  return forwarder === undefined ? [] : [{ text: 'l.forwarder = ?', values: [forwarder] }]
}

function placeOf ({ forwarder, sequence }: Mark): string {
  return `${sequence} ${forwarder}`
}

function byPlace<T extends Mark> (rows: readonly T[]): ReadonlyMap<string, T> {
  return new Map(rows.map((row) => [placeOf(row), row]))
}
