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
  /** The day (UTC) that the file was begun on, as `2026-01-31`. */
  day: Type.String(),
  /** Names the file's beginning: a new one for each file that was begun, and each that somebody else has cut. */
  beginning: Type.String()
})

export type FilePosition = Static<typeof FilePositionSchema>

/** `undefined` where there is none, or none that can be read. */
export function parsePosition (text: string | null): FilePosition | undefined {
  if (text === null) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return Value.Check(FilePositionSchema, value) ? value : undefined
  } catch {
    // Damaged: as if there were none.
    return undefined
  }
}

export function dayOf (now: number): string {
  return new Date(now).toISOString().slice(0, 10)
}

/** The last bytes of a file before `bytes`. */
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

/** The checksum of a file's last bytes before `bytes`. */
export async function readTail (file: FileHandle, bytes: number): Promise<number> {
  return crc32(await readBefore(file, bytes, TAIL_BYTES))
}

/** Whether a file ends, at `bytes`, in the middle of a line. */
export async function endsTorn (file: FileHandle, bytes: number): Promise<boolean> {
  return bytes > 0 && (await readBefore(file, bytes, 1)).toString() !== '\n'
}

/** Whether a file is the one that a position was taken of: it is long enough, and looks the same before it. */
export async function fits (file: FileHandle, position: Pick<FilePosition, 'bytes' | 'tail'>): Promise<boolean> {
  const { size } = await file.stat()
  return size >= position.bytes && await readTail(file, position.bytes) === position.tail
}
