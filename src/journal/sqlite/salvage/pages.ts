import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { PAGE_BYTES } from '../database.js'
import { readWal } from './wal.js'

const CHUNK_PAGES = 64

/** The pages of a database as the last commit left them, from its file or its log. Read without SQLite, which refuses damaged files. */
export interface Pages {
  readonly count: number
  /** Pages are numbered from 1. The bytes are valid until another page is read. They are zero if the disk cannot read them. */
  readonly read: (page: number) => Buffer
  readonly close: () => void
}

export function openPages (path: string): Pages {
  const wal = readWal(`${path}-wal`)
  const file = openSync(path, 'r')
  const log = wal.count === undefined ? undefined : openSync(`${path}-wal`, 'r')
  const chunk = Buffer.alloc(CHUNK_PAGES * PAGE_BYTES)
  let chunkStart = -1

  /** Reads successive pages in chunks, and pages in between one by one. */
  function readFromFile (page: number): Buffer {
    const within = (page - 1) % CHUNK_PAGES
    if (page - 1 - within !== chunkStart) {
      if (within > 0) return readOne(page)
      chunkStart = page - 1
      if (!fill(file, chunk, chunkStart * PAGE_BYTES)) {
        for (let at = 0; at < chunk.length; at += PAGE_BYTES) fill(file, chunk.subarray(at, at + PAGE_BYTES), chunkStart * PAGE_BYTES + at)
      }
    }
    return chunk.subarray(within * PAGE_BYTES, (within + 1) * PAGE_BYTES)
  }

  function readOne (page: number): Buffer {
    const bytes = Buffer.alloc(PAGE_BYTES)
    fill(file, bytes, (page - 1) * PAGE_BYTES)
    return bytes
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

/** Returns whether the read succeeded. If not, and after the end of the file, the buffer is zero. */
function fill (file: number, buffer: Buffer, position: number): boolean {
  buffer.fill(0)
  try {
    readSync(file, buffer, 0, buffer.length, position)
    return true
  } catch {
    // A sector that cannot be read.
    return false
  }
}
