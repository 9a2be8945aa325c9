import { lstat, readlink, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { systemCode } from '../../errors/system-code.js'

/** As many links one after another as the kernel follows. */
const LINKS_LIMIT = 40

/**
 * Where a path leads, through all links, also of what is not there yet: a link may point to a file that is made by writing to it.
 * What may not be looked at stays as it is written.
 */
export async function realPath (path: string, links = 0): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    // Whoever opens it is told what is wrong with it.
    if (systemCode(error) !== 'ENOENT' || dirname(path) === path || links > LINKS_LIMIT) return path
  }
  const target = await linkTarget(path)
  if (target !== undefined) return await realPath(resolve(dirname(path), target), links + 1)
  return join(await realPath(dirname(path), links), basename(path))
}

/** Names what is at a path whatever the path is called, by device and inode; `undefined` where nothing is, or it may not be looked at. */
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
    // Nothing is there.
    return undefined
  }
}
