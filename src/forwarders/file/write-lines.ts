import { readTail } from './file-position.js'
import { isStillAt, writeAll, type OpenFile } from './open-file.js'

const LINE_BREAK = Buffer.from('\n')

/**
 * Writes whole lines at the file's end and brings them to the disk. Where that fails, or `signal` aborts before it is done, they are cut
 * off again, at once or by whoever finds the file `dirty`. Returns the checksum of the file's end.
 */
export async function writeLines (file: OpenFile, lines: Uint8Array, { path, signal }: { readonly path: string, readonly signal: AbortSignal }): Promise<number> {
  const bytes = file.torn ? Buffer.concat([LINE_BREAK, lines]) : lines
  const end = file.bytes + bytes.byteLength
  let tail: number
  try {
    file.dirty = true
    await writeAll(file.handle, bytes, file.bytes)
    await file.handle.datasync()
    tail = await readTail(file.handle, end)
    await checkKept(file, path)
    signal.throwIfAborted()
  } catch (error) {
    // What can't be cut off now is cut off by the next append, or by the next start.
    await takeBack(file).catch(() => undefined)
    throw error
  }
  file.bytes = end
  file.torn = false
  file.dirty = false
  file.appends++
  return tail
}

/** Cuts off what is beyond the file's lines. */
export async function takeBack (file: OpenFile): Promise<void> {
  await file.handle.truncate(file.bytes)
  file.dirty = false
}

/** Lines that went to a file that was deleted meanwhile are nowhere. Where it was only renamed, they are with the others. */
async function checkKept ({ handle }: OpenFile, path: string): Promise<void> {
  if ((await handle.stat()).nlink > 0) return
  // Some file systems count no links at all.
  if (!await isStillAt(handle, path)) throw new Error(`${path} was deleted while it was written to`)
}
