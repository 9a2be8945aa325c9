import { readdir, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** Files that were rotated away lie beside the file, named for when they were: `events.ndjson.20260131T235959.123Z`. */
export interface RotatedFiles {
  readonly nameAt: (now: number) => string
  /** Their paths, oldest first. */
  readonly list: () => Promise<readonly string[]>
  /** Removes those that were rotated before this time, in milliseconds since the epoch. */
  readonly removeBefore: (time: number) => Promise<void>
}

export function rotatedFiles (path: string): RotatedFiles {
  const prefix = `${basename(path)}.`
  const stamp = (now: number): string => new Date(now).toISOString().replaceAll(/[-:]/g, '')

  async function list (): Promise<readonly string[]> {
    const names = await readdir(dirname(path))
    return names
      .filter((name) => name.startsWith(prefix) && /^\d{8}T\d{6}\.\d{3}Z$/.test(name.slice(prefix.length)))
      .sort()
      .map((name) => join(dirname(path), name))
  }

  return {
    nameAt: (now) => `${path}.${stamp(now)}`,
    list,
    async removeBefore (time) {
      const oldest = `${path}.${stamp(time)}`
      for (const each of await list()) if (each < oldest) await rm(each, { force: true })
    }
  }
}
