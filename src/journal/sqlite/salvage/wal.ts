import { closeSync, openSync, readSync } from 'node:fs'
import { systemCode } from '../../../errors/system-code.js'
import { PAGE_BYTES } from '../database.js'

const HEADER_BYTES = 32
const FRAME_HEADER_BYTES = 24
/** Its lowest bit tells whether the checksums are of big-endian words (https://sqlite.org/fileformat2.html#wal_file_format). */
const MAGIC = 0x377F0682

/** Where a write-ahead log has the newest committed copy of each page. */
export interface WalPages {
  /** The position in the log's file, by page number. */
  readonly places: ReadonlyMap<number, number>
  /** The database's size in pages at the last commit; `undefined` if the log has no commit. */
  readonly count: number | undefined
}

const none: WalPages = { places: new Map(), count: undefined }

/**
 * Reads a log by SQLite's own rule: everything after the first frame with a wrong checksum was never committed.
 * @throws if there is a log that cannot be read: a salvage without it would lose the commits that only the log has
 */
export function readWal (path: string): WalPages {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    // Without a log, everything is in the database.
    if (systemCode(error) === 'ENOENT') return none
    throw error
  }
  try {
    return readFrames(file)
  } finally {
    closeSync(file)
  }
}

function readFrames (file: number): WalPages {
  const header = Buffer.alloc(HEADER_BYTES)
  if (readSync(file, header, 0, HEADER_BYTES, 0) < HEADER_BYTES) return none
  if ((header.readUInt32BE(0) & 0xFFFFFFFE) >>> 0 !== MAGIC || header.readUInt32BE(8) !== PAGE_BYTES) return none
  const littleEndian = (header.readUInt32BE(0) & 1) === 0
  let sum = addWords([0, 0], header.subarray(0, 24), littleEndian)
  if (!equals(sum, header, 24)) return none

  const places = new Map<number, number>()
  let uncommitted: Array<[page: number, place: number]> = []
  let count: number | undefined
  const frame = Buffer.alloc(FRAME_HEADER_BYTES + PAGE_BYTES)
  for (let place = HEADER_BYTES; readSync(file, frame, 0, frame.length, place) === frame.length; place += frame.length) {
    sum = addWords(addWords(sum, frame.subarray(0, 8), littleEndian), frame.subarray(FRAME_HEADER_BYTES), littleEndian)
    if (!frame.subarray(8, 16).equals(header.subarray(16, 24)) || !equals(sum, frame, 16)) break
    uncommitted.push([frame.readUInt32BE(0), place + FRAME_HEADER_BYTES])
    const size = frame.readUInt32BE(4)
    if (size === 0) continue
    for (const [page, at] of uncommitted) places.set(page, at)
    uncommitted = []
    count = size
  }
  return { places, count }
}

type Sum = readonly [number, number]

function addWords ([first, second]: Sum, bytes: Buffer, littleEndian: boolean): Sum {
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < bytes.byteLength; at += 8) {
    first = (first + words.getUint32(at, littleEndian) + second) >>> 0
    second = (second + words.getUint32(at + 4, littleEndian) + first) >>> 0
  }
  return [first, second]
}

function equals ([first, second]: Sum, bytes: Buffer, at: number): boolean {
  return bytes.readUInt32BE(at) === first && bytes.readUInt32BE(at + 4) === second
}
