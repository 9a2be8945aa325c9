import { fchownSync, fstatSync, statSync } from 'node:fs'

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
