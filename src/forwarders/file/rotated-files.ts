import { readdir, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** The rotated files. They lie beside the event file, and their names contain the time of rotation: `events.ndjson.20260131T235959.123Z`. */
export interface RotatedFiles {
  /** Returns a path that sorts after all existing ones, even if two rotations share a millisecond or the clock stepped back. */
  readonly nextName: (now: number) => Promise<string>
  /** Returns their paths, oldest first. */
  readonly list: () => Promise<readonly string[]>
  /** Removes files that were rotated more than `keepMs` ago. Calls `onError` for each file that it cannot remove. */
  readonly removeOlder: (age: Age, onError: (rotated: string, error: unknown) => void) => Promise<void>
}

interface Age {
  /** Milliseconds since the epoch. */
  readonly now: number
  readonly keepMs: number
}

/** The part after the dot in a rotated file's name. */
export const rotatedStamp = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d\.\d{3}Z)$/

export function rotatedFiles (path: string): RotatedFiles {
  const prefix = `${basename(path)}.`
  const stamp = (now: number): string => new Date(now).toISOString().replaceAll(/[-:]/g, '')

  async function list (): Promise<readonly string[]> {
    const names = await readdir(dirname(path))
    return names
      // If the digits are not a valid time, the file is not ours.
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
      // A file is at least as old as every later one, even if a wrong clock put a later time in its name.
      let youngest = Infinity
      for (const each of (await list()).toReversed()) {
        const named = timeOf(each)
        youngest = Math.min(youngest, named <= now ? named : await lastWritten(each, now))
        if (youngest < now - keepMs) await rm(each, { force: true }).catch((error: unknown) => { onError(each, error) })
      }
    }
  }
}

/** Returns when a file with a name from the future was last written; `Infinity` if that is in the future too. */
async function lastWritten (path: string, now: number): Promise<number> {
  const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }))
  return mtimeMs <= now ? mtimeMs : Infinity
}

/** Returns milliseconds since the epoch; `NaN` for any other text. */
function timeOfStamp (text: string): number {
  return rotatedStamp.test(text) ? Date.parse(text.replace(rotatedStamp, '$1-$2-$3T$4:$5:$6')) : NaN
}
