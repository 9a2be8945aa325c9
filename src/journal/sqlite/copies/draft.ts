import { randomUUID } from 'node:crypto'
import { closeSync, fsyncSync, openSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'

/** Where a file is made before it gets its name: beside it, so that a rename is enough, and under a name that nobody else has. */
export function draftOf (path: string): string {
  return `${path}.unfinished-${randomUUID().slice(0, 8)}`
}

/** What SQLite puts beside a database, by the ends of its name. */
export const SIDE_FILES = ['-wal', '-shm', '-journal']

/** Removes a draft with what SQLite has put beside it. */
export function removeDraft (draft: string): void {
  for (const ending of ['', ...SIDE_FILES]) rmSync(`${draft}${ending}`, { force: true })
}

/** Brings a file and its name to the disk. */
export function syncWithFolder (path: string): void {
  sync(path)
  sync(dirname(path))
}

export function sync (path: string): void {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
