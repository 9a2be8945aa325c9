import type { FileHandle } from 'node:fs/promises'

export interface TailLines {
  /** The deliveries' ids, one per line; `undefined` for a line that the file forwarder did not write. */
  readonly ids: ReadonlyArray<string | undefined>
  /** Where the lines after these begin, in bytes. Text without a line break at its end does not count as a line. */
  readonly next: number
}

const CHUNK_BYTES = 65_536
/** Each line of ours begins with its id, which is much shorter than this. */
const HEAD_BYTES = 128
const ID = /^\{"id":"([\w-]{1,64})",/
const LINE_FEED = 0x0A
const CLOSING_BRACE = 0x7D

/** Reads the ids of the lines between two places, in bytes. Reads in chunks, so a long line is never in memory as a whole. */
export async function * readTailLines (file: FileHandle, from: number, to: number): AsyncGenerator<TailLines> {
  const chunk = Buffer.alloc(CHUNK_BYTES)
  let line = newLine()
  for (let at = from, next = from; at < to;) {
    const { bytesRead } = await file.read(chunk, 0, Math.min(CHUNK_BYTES, to - at), at)
    if (bytesRead === 0) return
    const ids: Array<string | undefined> = []
    let start = 0
    for (let end = chunk.indexOf(LINE_FEED); end !== -1 && end < bytesRead; end = chunk.indexOf(LINE_FEED, start)) {
      extend(line, chunk.subarray(start, end))
      ids.push(idOf(line))
      line = newLine()
      start = end + 1
      next = at + start
    }
    extend(line, chunk.subarray(start, bytesRead))
    at += bytesRead
    yield { ids, next }
  }
}

interface PartOfLine {
  head: string
  last: number
  /** Whether the line contains a zero byte. JSON never does, but a power cut may leave zeros where nothing was written. */
  hole: boolean
}

function newLine (): PartOfLine {
  return { head: '', last: 0, hole: false }
}

function extend (line: PartOfLine, bytes: Buffer): void {
  if (line.head.length < HEAD_BYTES) line.head += bytes.toString('latin1', 0, HEAD_BYTES - line.head.length)
  line.last = bytes.at(-1) ?? line.last
  line.hole ||= bytes.includes(0)
}

function idOf ({ head, last, hole }: PartOfLine): string | undefined {
  return last === CLOSING_BRACE && !hole ? ID.exec(head)?.[1] : undefined
}
