import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { replaceFile } from '../errors/replace-file.js'
import { storageFields, tellApart } from '../errors/storage-cause.js'
import { keepUp, type KeptUp } from './keep-up.js'

export interface KeepFileOptions {
  readonly path: string
  /** What is to be in the file now. */
  readonly text: () => string
  readonly everyMs: number
  /** Told once, until a save succeeds again. */
  readonly onNotKept: (fields: Readonly<Record<string, unknown>>) => void
  /** Told what should not be able to happen. */
  readonly onFailure: (error: unknown) => void
}

/** Writes a text to a file now and then, as a whole or not at all. A disk that takes nothing costs the text, and nothing else. */
export function keepFile ({ path, text, everyMs, onNotKept, onFailure }: KeepFileOptions): KeptUp {
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
      const seen = await tellApart(error, dirname(path))
      if (!failing) onNotKept({ err: seen, ...storageFields(seen), path })
      failing = true
    }
  }

  return keepUp({ save, everyMs, onFailure })
}

/**
 * The text that was kept; `undefined` where nothing was yet.
 * @throws where it can't be read, or is larger than it may be
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
