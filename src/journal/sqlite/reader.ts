import type { Delivery } from '../../delivery/delivery.js'
import type { DueMarks, FeedReads, WaitingMark } from '../engine.js'
import type { MarkKind } from '../schedule.js'
import { inSnapshot, damageError, openForReading, type Connection } from './database.js'
import { unfinished } from './operator/forwarders.js'
import { DELIVERY_COLUMNS, STATE, toDelivery, toRows } from '../record.js'
import { hasMarksBeyond, readDue, readLanes, readMarks, type ReadDue } from './waiting.js'

export interface ReadAfter {
  readonly after: number
  /** Deliveries after this sequence must not be read yet. */
  readonly visible: number
  readonly limit: number
  readonly limitBytes: number
}

export interface ReadResult {
  readonly deliveries: readonly Delivery[]
  /** There are no other deliveries up to this sequence. */
  readonly upTo: number
  /** Sequences of records with a wrong checksum. A page that cannot be read is an error instead. */
  readonly damaged: readonly number[]
}

/** The reading side of the journal, synchronous, for the deliver thread. */
export interface Reader {
  readonly open: (path: string) => void
  readonly readAfter: (options: ReadAfter) => ReadResult
  readonly readMany: (sequences: readonly number[]) => Omit<ReadResult, 'upTo'>
  /** `heldBack`: whether there are marks of deliveries that must not be read yet. */
  readonly readDue: (forwarder: string, kind: MarkKind, options: ReadDue) => DueMarks & { readonly heldBack: boolean }
  readonly readLanes: (...request: Parameters<FeedReads['readLanes']>) => readonly WaitingMark[]
  readonly readMarks: (...request: Parameters<FeedReads['readMarks']>) => readonly WaitingMark[]
  readonly lastReplay: () => number
  /** Returns those ids whose deliveries the forwarder has not finished. */
  readonly unfinished: (forwarder: string, ids: readonly string[]) => readonly string[]
  /** Copies as much of the write-ahead log into the database as other connections allow. Stored data does not change. */
  readonly checkpoint: () => void
  /** Closes the database, so that its file can be replaced. Idempotent. */
  readonly close: () => void
}

export function createReader (now: () => number): Reader {
  let opened: Opened | undefined

  function use (): Opened {
    if (opened === undefined) throw new Error('The journal is not open')
    return opened
  }

  function close (): void {
    opened?.db.close()
    opened = undefined
  }

  return {
    open (path) {
      close()
      opened = prepare(openForReading(path))
    },

    readAfter ({ after, visible, limit, limitBytes }) {
      const opened = use()
      return inSnapshot(opened.db, () => {
        const { places, upTo } = readPlaces(opened, { after, visible, limit })
        const taken = takeBytes(places, limitBytes)
        const [first, last] = [taken.at(0), taken.at(-1)]
        const range = [first?.sequence ?? 0, last?.sequence ?? 0]
        return { ...readRecords(opened.rows.all(range), opened.bodies.all(range), (state) => state === STATE.accepted), upTo: Math.max(after, taken.length < places.length ? last?.sequence ?? after : upTo) }
      })
    },

    readMany (sequences) {
      const opened = use()
      return inSnapshot(opened.db, () => {
        // Several replays may be of the same delivery.
        const each = [...new Set(sequences)]
        const rows = each.flatMap((sequence) => opened.rows.all([sequence, sequence]))
        const bodies = each.flatMap((sequence) => opened.bodies.all([sequence, sequence]))
        return readRecords(rows, bodies, () => true)
      })
    },

    readDue (forwarder, kind, options) {
      const { db } = use()
      return { ...readDue(db, now(), forwarder, kind, options), heldBack: hasMarksBeyond(db, options.visible) }
    },

    readLanes: (...request) => readLanes(use().db, now(), ...request),
    readMarks: (...request) => readMarks(use().db, now(), ...request),
    lastReplay: () => (use().lastReplay.get() as { n: number }).n,
    unfinished: (forwarder, ids) => unfinished(use().db, { forwarder, ids }),
    checkpoint: () => { use().db.exec('PRAGMA wal_checkpoint(PASSIVE)') },
    close
  }
}

type Opened = ReturnType<typeof prepare>

function prepare (db: Connection) {
  return {
    db,
    // CAST, because a flipped bit can mark the number as text.
    places: db.prepare('SELECT sequence, CAST(body_bytes AS INTEGER) AS bodyBytes FROM deliveries WHERE sequence > ? AND sequence <= ? ORDER BY sequence LIMIT ?'),
    rows: db.prepare(`SELECT ${DELIVERY_COLUMNS} FROM deliveries d WHERE d.sequence BETWEEN ? AND ? ORDER BY d.sequence`),
    bodies: db.prepare('SELECT sequence, raw_body AS rawBody FROM bodies WHERE sequence BETWEEN ? AND ? ORDER BY sequence'),
    bodyBetween: db.prepare('SELECT sequence FROM bodies WHERE sequence > ? AND sequence < ? LIMIT 1'),
    lastReplay: db.prepare("SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'replays'), 0) AS n")
  }
}

/** A delivery's sequence and the size of its body. */
interface Place {
  readonly sequence: number
  readonly bodyBytes: number
}

interface Body {
  readonly sequence: number
  readonly rawBody: Uint8Array
}

/** The first places whose bodies fit into the limit, but at least one. */
function takeBytes (places: readonly Place[], limitBytes: number): readonly Place[] {
  let bytes = 0
  const end = places.findIndex(({ bodyBytes }, index) => {
    bytes += bodyBytes
    return index > 0 && bytes > limitBytes
  })
  return end === -1 ? places : places.slice(0, end)
}

/** Verifies every record, even those that are not wanted: the state in quarantine may itself be damage. */
function readRecords (rows: readonly object[], bodies: readonly object[], isWanted: (state: number) => boolean): { readonly deliveries: readonly Delivery[], readonly damaged: readonly number[] } {
  const deliveries: Delivery[] = []
  const damaged: number[] = []
  const bodyOf = new Map((bodies as readonly Body[]).map(({ sequence, rawBody }) => [sequence, rawBody]))
  for (const row of toRows(rows)) {
    const rawBody = bodyOf.get(row.sequence)
    bodyOf.delete(row.sequence)
    if (row.hold === STATE.damaged || row.hold === STATE.erased) continue
    if (rawBody === undefined) throw damageError(`the body of delivery ${row.sequence} is not found`)
    const delivery = toDelivery(row, rawBody)
    if (delivery === undefined) damaged.push(row.sequence)
    else if (isWanted(row.hold)) deliveries.push(delivery)
  }
  // SQLite does not notice a page that leads nowhere. A body without its delivery shows it.
  const [lost] = bodyOf.keys()
  if (lost !== undefined) throw damageError(`delivery ${lost} is not found`)
  return { deliveries, damaged }
}

/** The places after a sequence, in any state, and the sequence up to which there are no others. */
function readPlaces (opened: Opened, { after, visible, limit }: Omit<ReadAfter, 'limitBytes'>): { readonly places: readonly Place[], readonly upTo: number } {
  const places = opened.places.all([after, visible, limit]) as readonly Place[]
  const upTo = places.length < limit ? visible : places.at(-1)?.sequence ?? visible
  checkGaps(opened, places, after, upTo)
  return { places, upTo }
}

/**
 * Checks the gaps between sequences. A gap is normal if deliveries were pruned or withdrawn, because their bodies are gone too. If a
 * body is there, the page that leads to its delivery is damaged. SQLite does not notice that, and the delivery must not be skipped.
 */
function checkGaps ({ bodyBetween }: Opened, places: readonly Place[], after: number, upTo: number): void {
  let last = after
  for (const sequence of [...places.map((place) => place.sequence), upTo + 1]) {
    if (sequence <= last) throw damageError(`delivery ${sequence} follows ${last}`)
    const found = sequence > last + 1 ? bodyBetween.get([last, sequence]) as { sequence: number } | undefined : undefined
    if (found !== undefined) throw damageError(`delivery ${found.sequence} is not found`)
    last = sequence
  }
}
