import { lstat, open, rename, rm, type FileHandle } from 'node:fs/promises'
import { systemCode } from '../../errors/system-code.js'
import { syncFolder } from './beginning.js'
import { writeAll } from './open-file.js'

const CHUNK_BYTES = 1_048_576

/** Renames a file to a free name beside the event file. Returns the new path. */
export async function setFileAside (file: string, path: string, now: number): Promise<string> {
  const target = await freeName(path, now)
  await rename(file, target)
  await syncFolder(path)
  return target
}

/** Moves the bytes from a place on to a new file beside the event file. Returns the new file's path. */
export async function setTailAside (file: FileHandle, from: number, path: string, now: number): Promise<string> {
  const target = await freeName(path, now)
  const copy = await open(target, 'wx', 0o640)
  try {
    const chunk = Buffer.alloc(CHUNK_BYTES)
    for (let copied = 0; ;) {
      const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, from + copied)
      if (bytesRead === 0) break
      await writeAll(copy, chunk.subarray(0, bytesRead), copied)
      copied += bytesRead
    }
    await copy.sync()
  } catch (error) {
    // The original file still has all of the bytes.
    await rm(target, { force: true })
    throw error
  } finally {
    await copy.close()
  }
  await syncFolder(path)
  await file.truncate(from)
  return target
}

/** Returns a free path such as `events.ndjson.set-aside-20260131T235959.123-1`, which differs from the names of rotated files. */
async function freeName (path: string, now: number): Promise<string> {
  const stamp = new Date(now).toISOString().replaceAll(/[-:Z]/g, '')
  for (let number = 1; ; number++) {
    const name = `${path}.set-aside-${stamp}-${number}`
    const taken = await lstat(name).then(() => true, (error: unknown) => {
      if (systemCode(error) === 'ENOENT') return false
      throw error
    })
    if (!taken) return name
  }
}
