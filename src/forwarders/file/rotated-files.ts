import { readdir, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** Files that were rotated away lie beside the file, named for when they were: `events.ndjson.20260131T235959.123Z`. */
export interface RotatedFiles {
  /** A path that sorts after all that there are, though two rotations share a millisecond or the clock has stepped back. */
  readonly nextName: (now: number) => Promise<string>
  /** Their paths, oldest first. */
  readonly list: () => Promise<readonly string[]>
  /** Removes those that were rotated longer ago than they are to be kept, and tells of each that it can't remove. */
  readonly removeOlder: (age: Age, onError: (rotated: string, error: unknown) => void) => Promise<void>
}

interface Age {
  /** Milliseconds since the epoch. */
  readonly now: number
  readonly keepMs: number
}

/** What is behind the dot of a rotated file's name. */
export const rotatedStamp = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d\.\d{3}Z)$/

export function rotatedFiles (path: string): RotatedFiles {
  const prefix = `${basename(path)}.`
  const stamp = (now: number): string => new Date(now).toISOString().replaceAll(/[-:]/g, '')

  async function list (): Promise<readonly string[]> {
    const names = await readdir(dirname(path))
    return names
      // A name whose digits are no time is somebody else's.
      .filter((name) => name.startsWith(prefix) && !Number.isNaN(timeOfStamp(name.slice(prefix.length))))
      .sort()
      .map((name) => join(dirname(path), name))
  }

  function timeOf (rotated: string): number {
    return timeOfStamp(rotated.slice(path.length + 1))
  }

  return {
    async nextName (now) {
      const newest = (await list()).at(-1)
      return `${path}.${stamp(newest === undefined ? now : Math.max(now, timeOf(newest) + 1))}`
    },
    list,
    async removeOlder ({ now, keepMs }, onError) {
      // What follows a file is no older than it, whatever a wrong clock has called it.
      let youngest = Infinity
      for (const each of (await list()).toReversed()) {
        const named = timeOf(each)
        youngest = Math.min(youngest, named <= now ? named : await lastWritten(each, now))
        if (youngest < now - keepMs) await rm(each, { force: true }).catch((error: unknown) => { onError(each, error) })
      }
    }
  }
}

/** When a file that has its name from the future was written to last; `Infinity` where that was by a wrong clock too. */
async function lastWritten (path: string, now: number): Promise<number> {
  const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }))
  return mtimeMs <= now ? mtimeMs : Infinity
}

/** Milliseconds since the epoch; `NaN` for what is no stamp. */
function timeOfStamp (text: string): number {
  return rotatedStamp.test(text) ? Date.parse(text.replace(rotatedStamp, '$1-$2-$3T$4:$5:$6')) : NaN
}
