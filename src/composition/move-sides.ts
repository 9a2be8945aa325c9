export type Value = string | number | null
export type Row = Readonly<Record<string, Value>>

export interface Table {
  readonly name: string
  readonly columns: readonly string[]
  /** What orders it; where absent, the order in which its rows were written. */
  readonly key?: readonly string[]
}

/** All that a journal is made of. Bodies travel as hexadecimal text. */
export const TABLES: readonly Table[] = [
  {
    name: 'deliveries',
    key: ['sequence'],
    columns: ['sequence', 'id', 'received_at', 'event_type', 'verdict', 'hold', 'source_object', 'source_id', 'event_id', 'project_id', 'customer_id', 'campaign_id', 'duplicates',
      'faults', 'headers', 'body_bytes', 'event_start', 'event_end', 'checksum', 'raw_body']
  },
  { name: 'dedupe_keys', key: ['key'], columns: ['key', 'id', 'verdict', 'sequence', 'received_at'] },
  { name: 'waiting', key: ['forwarder', 'replay', 'sequence'], columns: ['forwarder', 'replay', 'sequence', 'lane', 'attempt', 'waited_ms', 'delay_ms', 'due_at', 'reason'] },
  { name: 'dead_letters', key: ['forwarder', 'sequence'], columns: ['forwarder', 'sequence', 'died_at', 'attempts', 'reason'] },
  { name: 'attempts', columns: ['sequence', 'forwarder', 'replay', 'attempt', 'started_at', 'duration_ms', 'outcome', 'detail'] },
  { name: 'replays', key: ['number'], columns: ['number', 'requested_at', 'kind', 'description'] },
  { name: 'forwarders', key: ['name'], columns: ['name', 'cursor', 'began', 'position', 'breaker', 'added_at', 'paused', 'filter'] }
]

/** The numbers that are drawn next: of deliveries and of replays. */
export type Counters = Readonly<Record<'sequence' | 'replay', number>>

/** One side of a move. */
export interface Side {
  /** Up to so many rows of a table, from after a place in its order, with the place of the last. */
  readonly read: (table: Table, after: readonly Value[] | undefined, limit: number) => Promise<ReadonlyArray<readonly [Row, readonly Value[]]>>
  readonly write: (table: Table, rows: readonly Row[]) => Promise<void>
  readonly count: (table: Table) => Promise<number>
  readonly counters: () => Promise<Counters>
  readonly setCounters: (counters: Counters) => Promise<void>
}

export interface Source {
  readonly side: Side
  /** Puts it where nobody serves it any more; returns what it is called then. */
  readonly leave: () => Promise<string>
  readonly close: () => Promise<void>
}

export interface Target {
  readonly side: Side
  /** Makes it a journal that can be served. Before, nobody can start on it, and another move begins anew. */
  readonly publish: () => Promise<void>
  readonly close: () => Promise<void>
}

/** A value as both sides give it. */
function plain (value: unknown): Value {
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')
  return typeof value === 'boolean' ? Number(value) : value as Value
}

export function toPage (table: Table, key: readonly string[], rows: ReadonlyArray<Readonly<Record<string, unknown>>>): ReadonlyArray<readonly [Row, readonly Value[]]> {
  return rows.map((row) => [Object.fromEntries(table.columns.map((name) => [name, plain(row[name])])), key.map((name) => plain(row[name]))])
}
