import { open, rename, rm } from 'node:fs/promises'

/**
 * Writes a file as a whole or not at all: it is written and synced under another name first, so that a crash leaves the old one or the new one.
 * @throws what keeps it from being written
 */
export async function replaceFile (path: string, text: string, mode = 0o640): Promise<void> {
  const draft = `${path}.draft`
  try {
    const file = await open(draft, 'w', mode)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true }).catch(() => { /* It is written over the next time. */ })
    throw error
  }
}
