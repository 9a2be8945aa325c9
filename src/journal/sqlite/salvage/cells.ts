import { PAGE_BYTES } from '../database.js'
import type { Pages } from './pages.js'
import { decodeRecord, readVarint, type Value } from './record-format.js'

/** https://sqlite.org/fileformat2.html#b_tree_pages */
const PAGE_TYPE = { indexInterior: 2, tableInterior: 5, indexLeaf: 10, tableLeaf: 13 } as const
const OVERFLOW_BYTES = PAGE_BYTES - 4
const MAX_INDEX_LOCAL = Math.floor((PAGE_BYTES - 12) * 64 / 255) - 23
const MIN_LOCAL = Math.floor((PAGE_BYTES - 12) * 32 / 255) - 23
const MAX_TABLE_LOCAL = PAGE_BYTES - 35

/** A row as a page stores it: of a table with a rowid, or of an index or a table without a rowid. */
export interface Row {
  readonly rowid: number | undefined
  readonly values: readonly Value[]
}

export interface PageRows {
  readonly rows: readonly Row[]
  /** Whether there is, or may be, more on the page than could be read. */
  readonly damaged: boolean
}

/**
 * Reads the rows on a page of a tree, each by itself: an unreadable row does not affect the others.
 * @param isOurs whether tierhook may have written the row
 */
export function readRows (pages: Pages, page: number, isOurs: (row: Row) => boolean): PageRows {
  // Copied, because reading overflow pages may overwrite the buffer.
  const bytes = Buffer.from(pages.read(page))
  const type = bytes.readUInt8(0)
  if (type === PAGE_TYPE.tableInterior) return { rows: [], damaged: false }
  if (type === PAGE_TYPE.tableLeaf || type === PAGE_TYPE.indexLeaf || type === PAGE_TYPE.indexInterior) return readAs(pages, bytes, type, isOurs)
  // The byte with the page's type is damaged. The type under which most rows can be read is the right one.
  const readings = [PAGE_TYPE.tableLeaf, PAGE_TYPE.indexLeaf, PAGE_TYPE.indexInterior].map((guess) => readAs(pages, bytes, guess, isOurs))
  const best = readings.reduce((most, reading) => reading.rows.length > most.rows.length ? reading : most)
  return { rows: best.rows, damaged: true }
}

function readAs (pages: Pages, bytes: Buffer, type: 2 | 10 | 13, isOurs: (row: Row) => boolean): PageRows {
  const pointers = type === PAGE_TYPE.indexInterior ? 12 : 8
  const count = bytes.readUInt16BE(3)
  const rows: Row[] = []
  let damaged = false
  for (let index = 0; index < count && pointers + index * 2 + 2 <= PAGE_BYTES; index++) {
    const row = readCell(pages, bytes, bytes.readUInt16BE(pointers + index * 2), type)
    if (row !== undefined && isOurs(row)) rows.push(row)
    else damaged = true
  }
  return { rows, damaged: damaged || pointers + count * 2 > PAGE_BYTES }
}

function readCell (pages: Pages, bytes: Buffer, start: number, type: 2 | 10 | 13): Row | undefined {
  const length = readVarint(bytes, type === PAGE_TYPE.indexInterior ? start + 4 : start)
  if (length === undefined || length.value > pages.count * PAGE_BYTES) return undefined
  const rowid = type === PAGE_TYPE.tableLeaf ? readVarint(bytes, length.end) : { value: undefined, end: length.end }
  if (rowid === undefined) return undefined
  const payload = readPayload(pages, bytes, rowid.end, length.value, type === PAGE_TYPE.tableLeaf ? MAX_TABLE_LOCAL : MAX_INDEX_LOCAL)
  const values = payload === undefined ? undefined : decodeRecord(payload)
  return values === undefined ? undefined : { rowid: rowid.value, values }
}

/** A payload that is too long for its page continues on a chain of overflow pages. */
function readPayload (pages: Pages, bytes: Buffer, start: number, length: number, localMost: number): Buffer | undefined {
  if (length <= localMost) return start + length <= PAGE_BYTES ? bytes.subarray(start, start + length) : undefined
  const fitting = MIN_LOCAL + (length - MIN_LOCAL) % OVERFLOW_BYTES
  const local = fitting <= localMost ? fitting : MIN_LOCAL
  if (start + local + 4 > PAGE_BYTES) return undefined
  const payload = Buffer.alloc(length)
  bytes.copy(payload, 0, start, start + local)
  let next = bytes.readUInt32BE(start + local)
  for (let at = local; at < length; at += OVERFLOW_BYTES) {
    if (next < 2 || next > pages.count) return undefined
    const overflow = pages.read(next)
    overflow.copy(payload, at, 4, 4 + Math.min(OVERFLOW_BYTES, length - at))
    next = overflow.readUInt32BE(0)
  }
  return payload
}
