import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { replaceFile } from '../errors/replace-file.js'
import { storageFields, explainNoSpace } from '../errors/storage-cause.js'
import { saveRegularly, type RegularSaves } from './save-regularly.js'

export interface KeepFileOptions {
  readonly path: string
  /** Returns the text that the file should have now. */
  readonly text: () => string
  readonly everyMs: number
  /** Called once after failed saves, until a save succeeds again. */
  readonly onNotKept: (fields: Readonly<Record<string, unknown>>) => void
  /** Called with errors that indicate a bug. */
  readonly onFailure: (error: unknown) => void
}

/** Writes a text to a file at intervals, as a whole or not at all. If the disk fails, only the text is lost. */
export function keepFile ({ path, text, everyMs, onNotKept, onFailure }: KeepFileOptions): RegularSaves {
  let written = ''
  let failing = false

  async function save (): Promise<void> {
    const now = text()
    if (now === written) return
    try {
      await replaceFile(path, now)
      written = now
      failing = false
    } catch (error) {
      const seen = await explainNoSpace(error, dirname(path))
      if (!failing) onNotKept({ err: seen, ...storageFields(seen), path })
      failing = true
    }
  }

  return saveRegularly({ save, everyMs, onFailure })
}

/**
 * Reads a kept file; `undefined` if there is none yet.
 * @throws if the file cannot be read, or is larger than `largestBytes`
 */
export async function readKeptFile (path: string, largestBytes: number): Promise<string | undefined> {
  let bytes: Buffer
  try {
    bytes = await readFile(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  if (bytes.byteLength > largestBytes) throw new Error(`It is larger than ${largestBytes} bytes`)
  return bytes.toString('utf8')
}
