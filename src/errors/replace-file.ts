import { open, rename, rm } from 'node:fs/promises'

/**
 * Replaces a file completely or not at all. The text is written and synced under another name first, so a crash leaves the old file or the new
 * one.
 * @throws the error that kept the file from being written
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
    await rm(draft, { force: true }).catch(() => { /* The next call overwrites it. */ })
    throw error
  }
}
