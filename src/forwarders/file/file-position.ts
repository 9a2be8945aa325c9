import type { FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { Type, type Static } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'

/** How many bytes before a position its checksum covers. They usually contain a delivery's id. */
const TAIL_BYTES = 1024

/** The file forwarder's position: how many bytes are committed, and facts by which to recognize the file. */
const FilePositionSchema = Type.Object({
  bytes: Type.Integer({ minimum: 0 }),
  /** A checksum of the last bytes before the position, up to 1 KiB. */
  tail: Type.Integer(),
  /** The day (UTC) that the file was begun on, as `2026-01-31`. */
  day: Type.String(),
  /** The id of the file's beginning record. Each new file gets a new one, and so does a file that another process cut. */
  beginning: Type.String()
})

export type FilePosition = Static<typeof FilePositionSchema>

/** Reads a committed position; `undefined` if there is none, or if it cannot be read. */
export function parsePosition (text: string | null): FilePosition | undefined {
  if (text === null) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return Value.Check(FilePositionSchema, value) ? value : undefined
  } catch {
    // A damaged position counts as none.
    return undefined
  }
}

export function dayOf (now: number): string {
  return new Date(now).toISOString().slice(0, 10)
}

/** Reads the last bytes before `bytes`. */
async function readBefore (file: FileHandle, bytes: number, atMost: number): Promise<Buffer> {
  const length = Math.min(bytes, atMost)
  const buffer = Buffer.alloc(length)
  let read = 0
  while (read < length) {
    const { bytesRead } = await file.read(buffer, read, length - read, bytes - length + read)
    if (bytesRead === 0) break
    read += bytesRead
  }
  return buffer.subarray(0, read)
}

/** Returns the checksum of the last bytes before `bytes`, up to 1 KiB. */
export async function readTail (file: FileHandle, bytes: number): Promise<number> {
  return crc32(await readBefore(file, bytes, TAIL_BYTES))
}

/** Whether the file, if cut at `bytes`, would end in the middle of a line. */
export async function endsInPartialLine (file: FileHandle, bytes: number): Promise<boolean> {
  return bytes > 0 && (await readBefore(file, bytes, 1)).toString() !== '\n'
}

/** Whether a position was taken of this file: the file is long enough, and the bytes before the position are the same. */
export async function fits (file: FileHandle, position: Pick<FilePosition, 'bytes' | 'tail'>): Promise<boolean> {
  const { size } = await file.stat()
  return size >= position.bytes && await readTail(file, position.bytes) === position.tail
}
