import { existsSync, readdirSync, renameSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { SIDE_FILES, sync } from '../copies/draft.js'

/** Where the new database is made; what is left of it after a crash is of no use. */
export function draftPath (path: string): string {
  return `${path}.salvaging`
}

/**
 * Puts a finished draft in the place of the damaged database, which keeps its log beside it under its new name. From the first
 * step on, which is one rename, the draft is the database: a start after a crash takes the rest of the steps.
 * @returns where the damaged database is now
 */
export function swap (path: string, now: Date): string {
  sync(draftPath(path))
  renameSync(draftPath(path), freeName(path, now.toISOString().replaceAll(/[-:]|\.\d+/g, '')))
  sync(dirname(path))
  return finishSwap(path) ?? path
}

/** Takes the steps of a swap that a crash has left undone. Returns where the damaged database is now, or `undefined` where there was nothing to do. */
export function finishSwap (path: string): string | undefined {
  // Where there is no folder, opening the database tells so.
  if (!existsSync(dirname(path))) return undefined
  const salvaged = readdirSync(dirname(path)).find((name) => name.startsWith(`${basename(path)}.salvaged-`))
  if (salvaged === undefined) return undefined
  const stamp = salvaged.slice(`${basename(path)}.salvaged-`.length)
  const damaged = `${path}.damaged-${stamp}`
  // The log goes with its database: beside another one it would be taken for that one's.
  for (const ending of [...SIDE_FILES, '']) if (existsSync(`${path}${ending}`)) renameSync(`${path}${ending}`, `${damaged}${ending}`)
  sync(dirname(path))
  renameSync(`${path}.salvaged-${stamp}`, path)
  sync(dirname(path))
  return damaged
}

/** Two in one second get names of their own. */
function freeName (path: string, stamp: string): string {
  let name = stamp
  for (let number = 2; existsSync(`${path}.damaged-${name}`); number++) name = `${stamp}-${number}`
  return `${path}.salvaged-${name}`
}
