import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { PAGE_BYTES } from './page-bytes.js'
import { readWal } from './wal.js'

const CHUNK_PAGES = 64

/** The pages of a database as the last commit left them, in its file or in its log, without SQLite: it refuses what is damaged. */
export interface Pages {
  readonly count: number
  /** Pages are numbered from 1. The bytes are valid until another page is read; all zero where the disk does not give them. */
  readonly read: (page: number) => Buffer
  readonly close: () => void
}

export function openPages (path: string): Pages {
  const wal = readWal(`${path}-wal`)
  const file = openSync(path, 'r')
  const log = wal.count === undefined ? undefined : openSync(`${path}-wal`, 'r')
  const chunk = Buffer.alloc(CHUNK_PAGES * PAGE_BYTES)
  let chunkStart = -1

  function readFromFile (page: number): Buffer {
    const start = page - 1 - (page - 1) % CHUNK_PAGES
    if (start !== chunkStart) {
      chunkStart = start
      if (!fill(file, chunk, start * PAGE_BYTES)) {
        for (let at = 0; at < chunk.length; at += PAGE_BYTES) fill(file, chunk.subarray(at, at + PAGE_BYTES), start * PAGE_BYTES + at)
      }
    }
    const at = (page - 1 - start) * PAGE_BYTES
    return chunk.subarray(at, at + PAGE_BYTES)
  }

  return {
    count: wal.count ?? Math.floor(fstatSync(file).size / PAGE_BYTES),
    read (page) {
      const place = wal.places.get(page)
      if (place === undefined || log === undefined) return readFromFile(page)
      const bytes = Buffer.alloc(PAGE_BYTES)
      fill(log, bytes, place)
      return bytes
    },
    close () {
      closeSync(file)
      if (log !== undefined) closeSync(log)
    }
  }
}

/** Whether the disk gave what there is; where it did not, and beyond the end, the buffer is zero. */
function fill (file: number, buffer: Buffer, position: number): boolean {
  buffer.fill(0)
  try {
    readSync(file, buffer, 0, buffer.length, position)
    return true
  } catch {
    // A sector that can't be read.
    return false
  }
}
