import { constants, type Stats } from 'node:fs'
import { access, open, readFile, realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemCode } from '../../errors/system-code.js'

export interface CheckFileOptions {
  /** Whether it is to be renamed now and then. */
  readonly rotates?: boolean
}

/**
 * Sees whether a file can be appended to, or made together with its folders, and renamed where it is to be rotated. Changes nothing.
 * @throws {Error} that says what is in the way
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
  // The root is always there.
  if (found === undefined) return await checkFolder(dirname(path))
  if (!found.isDirectory()) throw new Error(`${path} is not a folder`)
  await access(path, constants.W_OK | constants.X_OK).catch((error: unknown) => { throw notWritable(path, error) })
}

async function look (path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    // A file where a folder should be is found further up.
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined
    throw new Error(`${path} cannot be looked at (${systemCode(error) ?? 'for an unknown reason'})`, { cause: error })
  }
}

/** To open it tells more than its mode does: of a file that may not be changed, and of a file system that is read-only. */
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

/** By the kernel's list, because a part of a file system that is mounted into itself has the same device. */
async function isMountPoint (path: string): Promise<boolean> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '')
  // The fifth field is the mount point, with what separates fields in octal.
  return mounts.split('\n').some((mount) => mount.split(' ', 5)[4]?.replaceAll(/\\(\d{3})/g, (_escape, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))) === path)
}

/** The number of the user that this process runs as, where the system tells. */
async function ownUser (): Promise<number | undefined> {
  return await stat('/proc/self').then(({ uid }) => uid, () => undefined)
}
