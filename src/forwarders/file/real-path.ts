import { lstat, readlink, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { systemCode } from '../../errors/system-code.js'

/** The kernel follows as many links in a row. */
const LINKS_LIMIT = 40

/**
 * Resolves all links in a path, even to a file that does not exist yet, because writing through such a link creates the file. A path that
 * cannot be examined stays as it is.
 */
export async function realPath (path: string, links = 0): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    // The code that opens the file reports the error.
    if (systemCode(error) !== 'ENOENT' || dirname(path) === path || links > LINKS_LIMIT) return path
  }
  const target = await linkTarget(path)
  if (target !== undefined) return await realPath(resolve(dirname(path), target), links + 1)
  return join(await realPath(dirname(path), links), basename(path))
}

/**
 * Returns device and inode of the file at a path, which are the same under all of its names; `undefined` if there is none or it cannot be examined.
 */
export async function identityAt (path: string): Promise<string | undefined> {
  return await stat(path, { bigint: true }).then(identityOf, () => undefined)
}

export function identityOf ({ dev, ino }: { readonly dev: bigint, readonly ino: bigint }): string {
  return `${dev}-${ino}`
}

async function linkTarget (path: string): Promise<string | undefined> {
  try {
    return (await lstat(path)).isSymbolicLink() ? await readlink(path) : undefined
  } catch {
    // The path does not exist.
    return undefined
  }
}
