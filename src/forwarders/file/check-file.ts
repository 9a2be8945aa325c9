import { constants, type Stats } from 'node:fs'
import { access, open, readFile, realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemCode } from '../../errors/system-code.js'

export interface CheckFileOptions {
  /** Whether the forwarder will rename the file for rotation. */
  readonly rotates?: boolean
}

/**
 * Checks whether a file can be appended to, or created together with its folders, and whether it can be renamed for rotation. Changes nothing.
 * @throws {Error} that names the obstacle
 */
export async function checkFile (path: string, { rotates = true }: CheckFileOptions = {}): Promise<void> {
  const found = await look(path)
  if (found !== undefined) {
    if (!found.isFile()) throw new Error(`${path} is not a file`)
    await mayWrite(path)
  }
  await checkFolder(dirname(path))
  if (found !== undefined && rotates) await checkRename(path, found)
}

async function checkFolder (path: string): Promise<void> {
  const found = await look(path)
  // The root always exists, so the recursion ends.
  if (found === undefined) return await checkFolder(dirname(path))
  if (!found.isDirectory()) throw new Error(`${path} is not a folder`)
  await access(path, constants.W_OK | constants.X_OK).catch((error: unknown) => { throw notWritable(path, error) })
}

async function look (path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    // A file in the place of a folder is found at the parent path.
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined
    throw new Error(`${path} cannot be looked at (${systemCode(error) ?? 'for an unknown reason'})`, { cause: error })
  }
}

/** Opens the file, because its mode alone does not show an immutable file or a read-only file system. */
async function mayWrite (path: string): Promise<void> {
  try {
    await (await open(path, 'r+')).close()
  } catch (error) {
    throw notWritable(path, error)
  }
}

function notWritable (path: string, error: unknown): Error {
  return new Error(`${path} cannot be written (${systemCode(error) ?? 'for an unknown reason'})`, { cause: error })
}

async function checkRename (path: string, file: Stats): Promise<void> {
  const real = await realpath(path)
  const folder = await stat(dirname(real))
  if (file.dev !== folder.dev || await isMountPoint(real)) {
    throw new Error(`${path} can be appended to, but not rotated: it is a mount point of its own. Mount its folder instead, or turn rotation off`)
  }
  const user = await ownUser()
  if (user !== undefined && user !== 0 && (folder.mode & STICKY) !== 0 && file.uid !== user && folder.uid !== user) {
    throw new Error(`${path} can be appended to, but not rotated: it belongs to another user, and its folder has the sticky bit. Give it to this user, or turn rotation off`)
  }
}

const STICKY = 0o1000

/** Uses the kernel's list, because a bind mount within one file system has the same device. */
async function isMountPoint (path: string): Promise<boolean> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '')
  // The fifth field is the mount point. Spaces and other separators in it are escaped in octal.
  return mounts.split('\n').some((mount) => mount.split(' ', 5)[4]?.replaceAll(/\\(\d{3})/g, (_escape, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))) === path)
}

/** Returns the id of the user that this process runs as; `undefined` if the system does not tell. */
async function ownUser (): Promise<number | undefined> {
  return await stat('/proc/self').then(({ uid }) => uid, () => undefined)
}
