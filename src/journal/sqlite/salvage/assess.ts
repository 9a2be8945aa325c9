import { existsSync, statSync } from 'node:fs'
import { APPLICATION_ID } from '../schema.js'
import { openPages, type Pages } from './pages.js'
import { PAGE_BYTES } from '../database.js'

/** The definitions of tierhook's tables are on the first page, or on one soon after it. */
const FRONT_PAGES = 64
/** A greater schema version comes from damage, and not from a newer tierhook. */
const SCHEMA_VERSION_LIMIT = 1000

/**
 * What a file is, judged by its first pages. `ours, damaged`: SQLite would refuse or misread it. `unknown`: missing, empty, or another
 * program's database, which SQLite will find out.
 */
export type Assessment = 'ours' | 'ours, damaged' | 'unknown' | 'no database'

export function assess (path: string): Assessment {
  if (!existsSync(path) || statSync(path).size === 0) return 'unknown'
  const pages = openPages(path)
  try {
    return assessPages(pages)
  } finally {
    pages.close()
  }
}

function assessPages (pages: Pages): Assessment {
  const header = Buffer.from(pages.read(1).subarray(0, 100))
  const isMarked = header.readUInt32BE(68) === APPLICATION_ID
  const isDatabase = header.subarray(0, 16).equals(MAGIC)
  if (!isMarked && !definesOurTables(pages)) return isDatabase ? 'unknown' : 'no database'
  const version = header.readUInt32BE(60)
  const sound = isMarked && isDatabase && FIXED.every(([at, ...values]) => values.includes(header.readUInt8(at))) &&
    header.readUInt32BE(52) > 0 && header.readUInt32BE(64) > 0 && version > 0 && version <= SCHEMA_VERSION_LIMIT
  return sound ? 'ours' : 'ours, damaged'
}

const MAGIC = Buffer.from('SQLite format 3\0')

/**
 * Bytes of the header that are the same in all databases of tierhook, by position (https://sqlite.org/fileformat2.html#the_database_header):
 * page size, format versions, reserved bytes, fractions, schema format and text encoding.
 */
const FIXED: ReadonlyArray<readonly [at: number, ...values: number[]]> = [
  [16, PAGE_BYTES >> 8], [17, 0], [18, 1, 2], [19, 1, 2], [20, 0], [21, 64], [22, 32], [23, 32], [44, 0], [45, 0], [46, 0], [47, 4],
  [56, 0], [57, 0], [58, 0], [59, 1], ...Array.from({ length: 20 }, (_, index) => [72 + index, 0] as const)
]

function definesOurTables (pages: Pages): boolean {
  for (let page = 1; page <= Math.min(FRONT_PAGES, pages.count); page++) {
    const bytes = pages.read(page)
    if (bytes.includes('CREATE TABLE dedupe_keys (') || bytes.includes('CREATE TABLE dead_letters (')) return true
  }
  return false
}
