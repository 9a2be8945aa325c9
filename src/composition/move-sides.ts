export type Value = string | number | null
export type Row = Readonly<Record<string, Value>>

export interface Table {
  readonly name: string
  readonly columns: readonly string[]
  /** The columns that order the table. If absent, its rows are ordered as they were written. */
  readonly key?: readonly string[]
}

/** All tables of a journal. Bodies are passed as hexadecimal text. */
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

/** The last number drawn for a delivery, and for a replay. */
export type Counters = Readonly<Record<'sequence' | 'replay', number>>

/** One side of a move. */
export interface Side {
  /** Reads up to `limit` rows of a table in order, beginning after the key `after`. Returns each row with its key. */
  readonly read: (table: Table, after: readonly Value[] | undefined, limit: number) => Promise<ReadonlyArray<readonly [Row, readonly Value[]]>>
  readonly write: (table: Table, rows: readonly Row[]) => Promise<void>
  readonly count: (table: Table) => Promise<number>
  readonly counters: () => Promise<Counters>
  readonly setCounters: (counters: Counters) => Promise<void>
}

export interface Source {
  readonly side: Side
  /** Renames the store, so that no service uses it any more. Returns its new name. */
  readonly leave: () => Promise<string>
  readonly close: () => Promise<void>
}

export interface Target {
  readonly side: Side
  /** Makes the store a journal that a service can use. Before that, no service can start on it, and another move starts over. */
  readonly publish: () => Promise<void>
  readonly close: () => Promise<void>
}

/** Converts a value to the form that both sides use. */
function plain (value: unknown): Value {
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')
  return typeof value === 'boolean' ? Number(value) : value as Value
}

export function toPage (table: Table, key: readonly string[], rows: ReadonlyArray<Readonly<Record<string, unknown>>>): ReadonlyArray<readonly [Row, readonly Value[]]> {
  return rows.map((row) => [Object.fromEntries(table.columns.map((name) => [name, plain(row[name])])), key.map((name) => plain(row[name]))])
}
