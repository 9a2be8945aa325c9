import type { FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { Type, type Static } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'

/** How much of what was written last is remembered, to know the file again by. It holds a delivery's id more often than not. */
const TAIL_BYTES = 1024

/** Where the file forwarder stands: this much of the file is committed, and its end looks like this. */
const FilePositionSchema = Type.Object({
  bytes: Type.Integer({ minimum: 0 }),
  /** A checksum of the last bytes before the position, up to 1 KiB. */
  tail: Type.Integer(),
  /** The day (UTC) that the file's lines were written on, as `2026-01-31`. */
  day: Type.String()
})

export type FilePosition = Static<typeof FilePositionSchema>

export function parsePosition (text: string | null): FilePosition | undefined {
  if (text === null) return undefined
  const value: unknown = JSON.parse(text)
  return Value.Check(FilePositionSchema, value) ? value : undefined
}

export function dayOf (now: number): string {
  return new Date(now).toISOString().slice(0, 10)
}

/** The checksum of a file's bytes before `bytes`. */
export async function readTail (file: FileHandle, bytes: number): Promise<number> {
  const length = Math.min(bytes, TAIL_BYTES)
  const buffer = Buffer.alloc(length)
  let read = 0
  while (read < length) {
    const { bytesRead } = await file.read(buffer, read, length - read, bytes - length + read)
    if (bytesRead === 0) break
    read += bytesRead
  }
  return crc32(buffer.subarray(0, read))
}

/** Whether a file is the one that a position was taken of: it is long enough, and looks the same before it. */
export async function fits (file: FileHandle, position: FilePosition): Promise<boolean> {
  const { size } = await file.stat()
  return size >= position.bytes && await readTail(file, position.bytes) === position.tail
}
