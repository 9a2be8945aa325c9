import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import { databasePath } from '../database.js'

const CHUNK_BYTES = 1024 * 1024

/**
 * Whether one of the values is anywhere in the database's files, even in unused space. This process must have no connection to the
 * database open, because closing the file drops its locks.
 */
export function hasLeftOvers (dataDir: string, values: readonly string[]): boolean {
  // In a row, values follow each other without separators, so a whole word cannot be told from a part of one.
  const needles = values.map((value) => value.toLowerCase())
  const path = databasePath(dataDir)
  return [path, `${path}-wal`].some((each) => existsSync(each) && holds(each, needles))
}

function holds (path: string, needles: readonly string[]): boolean {
  const file = openSync(path, 'r')
  const overlap = Math.max(...needles.map((needle) => Buffer.byteLength(needle))) * 2
  const buffer = Buffer.alloc(CHUNK_BYTES + overlap)
  try {
    for (let at = 0; ; at += CHUNK_BYTES) {
      const bytes = readSync(file, buffer, 0, buffer.length, at)
      const text = buffer.toString('utf8', 0, bytes).toLowerCase()
      if (needles.some((needle) => text.includes(needle))) return true
      if (bytes < buffer.length) return false
    }
  } finally {
    closeSync(file)
  }
}
