import { closeSync, fchownSync, fstatSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes an empty file that belongs to whoever owns its folder, for SQLite to open: of a command of root's it would be root's own. Does nothing where
 * it is there already. Where it cannot be made, whoever opens it is told why.
 */
export function makeOwnersFile (path: string): void {
  try {
    const file = openSync(path, 'wx', 0o640)
    handToOwner(file, dirname(path))
    // Nobody can have locked it yet: to close it drops all locks that the process has on it.
    closeSync(file)
  } catch {
    // It is there, or cannot be made.
  }
}

/**
 * Gives a file to whoever owns its folder: a command may be run by root, and the service, which has to go on with the file, not. Only a file that
 * has just been made is handed over: whoever owns the folder could have put another one in its place.
 */
export function handToOwner (file: number, folderPath: string): void {
  const folder = statSync(folderPath)
  const { uid, size, nlink } = fstatSync(file)
  if (uid === folder.uid || size > 0 || nlink !== 1) return
  try {
    fchownSync(file, folder.uid, folder.gid)
  } catch {
    // Only root may. Another's file could be opened, so it is the group's to write.
  }
}
