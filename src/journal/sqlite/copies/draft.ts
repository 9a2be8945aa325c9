import { randomUUID } from 'node:crypto'
import { closeSync, fsyncSync, openSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'

/** The path of an unfinished file: beside its final place, so that a rename is enough, and with a random name. */
export function draftOf (path: string): string {
  return `${path}.unfinished-${randomUUID().slice(0, 8)}`
}

/** The endings of the files that SQLite puts beside a database. */
export const SIDE_FILES = ['-wal', '-shm', '-journal']

/** Removes a draft and the files that SQLite has put beside it. */
export function removeDraft (draft: string): void {
  for (const ending of ['', ...SIDE_FILES]) rmSync(`${draft}${ending}`, { force: true })
}

/** Syncs a file and its folder, so that its name is on disk too. */
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
