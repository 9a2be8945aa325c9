import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { explainNoSpace } from './storage-cause.js'
import { systemCode } from './system-code.js'

/**
 * Makes a folder, and its parents if they do not exist. Node's recursive mkdir never returns on file systems that take no folders, such as
 * /proc, and reports ENOENT if the disk is full or read-only.
 */
export async function makeFolder (path: string): Promise<void> {
  if (await isFolder(path)) return
  try {
    await mkdir(path)
  } catch (error) {
    const code = systemCode(error)
    if (code === 'EEXIST' && await isFolder(path)) return
    const parent = dirname(path)
    if (code !== 'ENOENT' || parent === path) throw await explainNoSpace(error, parent)
    if (await isFolder(parent)) throw error
    await makeFolder(parent)
    await makeFolder(path)
  }
}

async function isFolder (path: string): Promise<boolean> {
  return await stat(path).then((found) => found.isDirectory(), () => false)
}
