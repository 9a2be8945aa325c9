import { closeSync, fchownSync, fstatSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes an empty file for SQLite to open, and gives it to the owner of its folder. Otherwise a file made by a command that root runs would
 * belong to root. Does nothing if the file exists, or if it cannot be made: opening it then fails with the reason.
 */
export function makeOwnersFile (path: string): void {
  try {
    const file = openSync(path, 'wx', 0o640)
    giveToFolderOwner(file, dirname(path))
    // Closing a file drops all locks that this process has on it. This file is new, so this process cannot have locked it yet.
    closeSync(file)
  } catch {
    // The file exists or cannot be made.
  }
}

/**
 * Gives a new file to the owner of its folder. A command may be run by root, but the service, which uses the file later, is not. A file with
 * content or a second link is not handed over, because the folder's owner could have put it in the new file's place.
 */
export function giveToFolderOwner (file: number, folderPath: string): void {
  const folder = statSync(folderPath)
  const { uid, size, nlink } = fstatSync(file)
  if (uid === folder.uid || size > 0 || nlink !== 1) return
  try {
    fchownSync(file, folder.uid, folder.gid)
  } catch {
    // Only root may change the owner. The file stays as it is.
  }
}
