import { readTail } from './file-position.js'
import { isStillAt, writeAll, type OpenFile } from './open-file.js'

const LINE_BREAK = Buffer.from('\n')

/**
 * Writes whole lines at the file's end and flushes them to disk. If that fails, or `signal` aborts first, the lines are cut off again: at
 * once, or later because the file stays `dirty`. Returns the checksum of the file's end.
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
    // If this fails too, the next append or the next start cuts the lines off.
    await takeBack(file).catch(() => undefined)
    throw error
  }
  file.bytes = end
  file.torn = false
  file.dirty = false
  file.appends++
  return tail
}

/** Cuts off everything after our lines. */
export async function takeBack (file: OpenFile): Promise<void> {
  await file.handle.truncate(file.bytes)
  file.dirty = false
}

/** Throws if the file was deleted meanwhile, because the lines are lost then. A file that was only renamed still has them. */
async function checkKept ({ handle }: OpenFile, path: string): Promise<void> {
  if ((await handle.stat()).nlink > 0) return
  // Some file systems report a link count of 0 for every file.
  if (!await isStillAt(handle, path)) throw new Error(`${path} was deleted while it was written to`)
}
