import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Sees whether a file can be appended to, or made together with its folders, and changes nothing.
 * @throws {Error} that says what is in the way
 */
export async function checkFile (path: string): Promise<void> {
  const found = await look(path)
  if (found !== undefined) {
    if (!found.isFile()) throw new Error(`${path} is not a file`)
    await mayUse(path, constants.R_OK | constants.W_OK)
  }
  await checkFolder(dirname(path))
}

async function checkFolder (path: string): Promise<void> {
  const found = await look(path)
  // The root is always there.
  if (found === undefined) return await checkFolder(dirname(path))
  if (!found.isDirectory()) throw new Error(`${path} is not a folder`)
  await mayUse(path, constants.W_OK | constants.X_OK)
}

async function look (path: string): Promise<Awaited<ReturnType<typeof stat>> | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    // A file where a folder should be is found further up.
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return undefined
    throw new Error(`${path} cannot be looked at (${codeOf(error)})`, { cause: error })
  }
}

async function mayUse (path: string, mode: number): Promise<void> {
  try {
    await access(path, mode)
  } catch (error) {
    throw new Error(`${path} cannot be written (${codeOf(error)})`, { cause: error })
  }
}

function codeOf (error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}
