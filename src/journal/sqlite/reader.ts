import type { DueMarks, WaitingMark } from '../feed-store.js'
import { damageError, openForReading, type Connection } from './database.js'
import { packDeliveries, type PackedDeliveries, type SoundRecord } from './packed-deliveries.js'
import { readPage, readRow, toList, type Place } from './read-page.js'
import { DELIVERY_COLUMNS, HOLD, recordText, toDelivery, toRow, type DeliveryRow } from './record.js'
import { hasMarksBeyond, readDue, readLanes, readMarks, type ReadDue, type ReadLanes, type ReadMarks } from './waiting.js'

export interface ReadAfter {
  readonly after: number
  /** Nothing beyond this sequence is to be seen yet. */
  readonly visible: number
  readonly limit: number
  readonly limitBytes: number
}

export interface ReadResult {
  readonly deliveries: PackedDeliveries
  /** There is nothing else up to here. */
  readonly upTo: number
  /** Sequences of records whose checksum differs. A page that can't be read is an error instead. */
  readonly damaged: readonly number[]
}

export interface ReaderApi {
  open: (options: { readonly path: string }) => void
  readAfter: (options: ReadAfter) => ReadResult
  readMany: (options: { readonly sequences: readonly number[] }) => ReadResult
  /** `heldBack`: whether there are marks of what is not to be seen yet. */
  readDue: (options: ReadDue) => DueMarks & { readonly heldBack: boolean }
  readLanes: (options: ReadLanes) => readonly WaitingMark[]
  readMarks: (options: ReadMarks) => readonly WaitingMark[]
  lastReplay: () => number
  /** Copies the write-ahead log into the database as far as that goes beside those who read and write. It changes nothing that is stored. */
  checkpoint: () => void
  /** Closes the database until it is opened again, so that its file can be put in another place. */
  letGo: () => void
  close: () => void
}

/** The reading side of the journal, synchronous: it lives in a thread of its own, so that a long read holds up nothing else. */
export function createReader (now: () => number): ReaderApi {
  let db: Connection | undefined
  let statements: Statements | undefined

  function opened (): Opened {
    if (db === undefined || statements === undefined) throw new Error('The journal is not open')
    return { db, statements }
  }

  function close (): void {
    db?.close()
    db = undefined
    statements = undefined
  }

  return {
    open ({ path }) {
      close()
      db = openForReading(path)
      statements = prepare(db)
    },

    readAfter: ({ after, visible, limit, limitBytes }) => consistent(opened(), ({ db, statements }) => {
      const found = readPlaces(db, statements, { after, visible, limit })
      const places = takeBytes(found.places, limitBytes)
      const upTo = places.length < found.places.length ? places.at(-1)?.sequence ?? after : found.upTo
      const page = readPage(db, places)
      const { records, damaged } = page === undefined
        ? readEach(statements, places.map(({ sequence }) => sequence), ({ hold }) => hold === HOLD.never)
        : { records: page, damaged: [] }
      return { deliveries: packDeliveries(records), damaged, upTo: Math.max(upTo, after) }
    }),

    readMany: ({ sequences }) => consistent(opened(), ({ statements }) => {
      const { records, damaged } = readEach(statements, sequences, () => true)
      return { deliveries: packDeliveries(records), damaged, upTo: 0 }
    }),

    readDue (options) {
      const { db } = opened()
      return { ...readDue(db, options, now()), heldBack: hasMarksBeyond(db, options.visible) }
    },

    readLanes: (options) => readLanes(opened().db, options, now()),

    readMarks: (options) => readMarks(opened().db, options, now()),

    lastReplay: () => (opened().db.prepare("SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'replays'), 0) AS n").get([]) as { n: number }).n,

    checkpoint () {
      // It may have been let go of in the meantime.
      db?.exec('PRAGMA wal_checkpoint(PASSIVE)')
    },

    letGo: close,
    close
  }
}

interface Opened {
  readonly db: Connection
  readonly statements: Statements
}

type Statements = ReturnType<typeof prepare>

/** What is asked record by record. To prepare it takes longer than to run it. */
function prepare (db: Connection) {
  return {
    row: db.prepare(`SELECT ${DELIVERY_COLUMNS} FROM deliveries d WHERE d.sequence = ?`),
    body: db.prepare('SELECT raw_body AS rawBody FROM bodies WHERE sequence = ?'),
    bodyBetween: db.prepare('SELECT sequence FROM bodies WHERE sequence > ? AND sequence < ? LIMIT 1')
  }
}

/** As many as their bodies leave room for, but one at least. */
function takeBytes (places: readonly Place[], limitBytes: number): readonly Place[] {
  let bytes = 0
  const end = places.findIndex(({ bodyBytes }, index) => {
    bytes += bodyBytes
    return index > 0 && bytes > limitBytes
  })
  return end === -1 ? places : places.slice(0, end)
}

/** Those of them that there are. */
function readRows (statements: Statements, sequences: readonly number[]): readonly DeliveryRow[] {
  return sequences.flatMap((sequence) => {
    const row = toRow(statements.row.get([sequence]))
    if (row === undefined && statements.bodyBetween.get([sequence - 1, sequence + 1]) !== undefined) throw damageError(`delivery ${sequence} is not found`)
    return row === undefined ? [] : [row]
  })
}

/** Each is checked, also what nobody waits for: that it is held back may itself be damage. */
function readEach (statements: Statements, sequences: readonly number[], isWanted: (row: DeliveryRow) => boolean): { records: readonly SoundRecord[], damaged: readonly number[] } {
  const records: SoundRecord[] = []
  const damaged: number[] = []
  for (const row of readRows(statements, sequences).filter(({ hold }) => hold !== HOLD.damaged && hold !== HOLD.erased)) {
    const body = statements.body.get([row.sequence]) as { rawBody: Uint8Array } | undefined
    if (body === undefined) throw damageError(`the body of delivery ${row.sequence} is not found`)
    if (toDelivery(row, body.rawBody) === undefined) damaged.push(row.sequence)
    else if (isWanted(row)) records.push({ sequence: row.sequence, duplicates: row.duplicates, checkedText: recordText(row), rawBody: body.rawBody })
  }
  return { records, damaged }
}

interface Places {
  readonly places: readonly Place[]
  /** These are all up to here. */
  readonly upTo: number
}

/** What there is after a sequence, whatever holds it back. */
function readPlaces (db: Connection, statements: Statements, { after, visible, limit }: Omit<ReadAfter, 'limitBytes'>): Places {
  // A number is a number, also where a flipped bit says that it is text.
  const [sequences = [], holds = [], bodyBytes = []] = readRow(db, `SELECT CAST(json_group_array(sequence) AS BLOB), CAST(json_group_array(hold) AS BLOB),
    CAST(json_group_array(body_bytes) AS BLOB) FROM (
      SELECT sequence, CAST(hold AS INTEGER) AS hold, CAST(body_bytes AS INTEGER) AS body_bytes FROM deliveries
      WHERE sequence > ? AND sequence <= ? ORDER BY sequence LIMIT ?)`, [after, visible, limit]).map((list) => toList(list).map(Number))
  const places = sequences.map((sequence, index) => ({ sequence, hold: holds[index] ?? HOLD.never, bodyBytes: bodyBytes[index] ?? 0 }))
  const upTo = places.length < limit ? visible : places.at(-1)?.sequence ?? visible
  checkGaps(statements, places, after, upTo)
  return { places, upTo }
}

/**
 * Sequences are missing where deliveries were pruned or withdrawn, and then their bodies are gone too. Where a body is there, the
 * page that leads to its delivery is damaged: SQLite does not notice, and the delivery must not be passed over.
 */
function checkGaps (statements: Statements, places: readonly Place[], after: number, upTo: number): void {
  let last = after
  for (const sequence of [...places.map((place) => place.sequence), upTo + 1]) {
    if (sequence <= last) throw damageError(`delivery ${sequence} follows ${last}`)
    const found = sequence > last + 1 ? statements.bodyBetween.get([last, sequence]) as { sequence: number } | undefined : undefined
    if (found !== undefined) throw damageError(`delivery ${found.sequence} is not found`)
    last = sequence
  }
}

/** What is read together is of one moment: nothing is removed in between. */
function consistent<T> (opened: Opened, read: (opened: Opened) => T): T {
  opened.db.exec('BEGIN')
  try {
    return read(opened)
  } finally {
    opened.db.exec('ROLLBACK')
  }
}
