import { existsSync, readdirSync, renameSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { SIDE_FILES, sync } from '../copies/draft.js'

/** Where the new database is made. What a crash leaves there is useless. */
export function draftPath (path: string): string {
  return `${path}.salvaging`
}

/**
 * Replaces the damaged database by a finished draft. The damaged one keeps its log beside it, under its new name. The first step is one
 * rename, and from then on the draft is the database: after a crash, the next start completes the other steps.
 * @returns the new path of the damaged database
 */
export function swap (path: string, now: Date): string {
  sync(draftPath(path))
  renameSync(draftPath(path), freeName(path, now.toISOString().replaceAll(/[-:]|\.\d+/g, '')))
  sync(dirname(path))
  return finishSwap(path) ?? path
}

/** Completes a swap that a crash interrupted. Returns the new path of the damaged database, or `undefined` if there was nothing to do. */
export function finishSwap (path: string): string | undefined {
  // If there is no folder, opening the database reports that.
  if (!existsSync(dirname(path))) return undefined
  const salvaged = readdirSync(dirname(path)).find((name) => name.startsWith(`${basename(path)}.salvaged-`))
  if (salvaged === undefined) return undefined
  const stamp = salvaged.slice(`${basename(path)}.salvaged-`.length)
  const damaged = `${path}.damaged-${stamp}`
  // The log moves with its database: SQLite would take it for the log of another one in its place.
  for (const ending of [...SIDE_FILES, '']) if (existsSync(`${path}${ending}`)) renameSync(`${path}${ending}`, `${damaged}${ending}`)
  sync(dirname(path))
  renameSync(`${path}.salvaged-${stamp}`, path)
  sync(dirname(path))
  return damaged
}

/** Salvages within the same second get different names. */
function freeName (path: string, stamp: string): string {
  let name = stamp
  for (let number = 2; existsSync(`${path}.damaged-${name}`); number++) name = `${stamp}-${number}`
  return `${path}.salvaged-${name}`
}
