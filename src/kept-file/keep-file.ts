import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { within } from '../delivery/within.js'
import { storageFields, tellApart } from '../errors/storage-cause.js'
import { replaceFile } from './replace-file.js'

/** How long stopping waits for a disk that does not answer. */
const LAST_SAVE_LIMIT_MS = 500

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

export interface KeptFile {
  /** Resolves when what there is now is in the file, or can't be. Never rejects. */
  readonly save: () => Promise<void>
  /** Saves again and again, until `close`. */
  readonly start: () => void
  /** Saves a last time, if it was started. Idempotent. */
  readonly close: () => Promise<void>
}

/** Writes a text to a file now and then, as a whole or not at all. A disk that takes nothing costs the text, and nothing else. */
export function keepFile ({ path, text, everyMs, onNotKept, onFailure }: KeepFileOptions): KeptFile {
  let written = ''
  let failing = false
  let timer: NodeJS.Timeout | undefined
  let underWay: Promise<void> | undefined
  let closing: Promise<void> | undefined

  async function write (): Promise<void> {
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

  async function save (): Promise<void> {
    // What is under way began before what is to be saved was noticed.
    await underWay?.catch(() => { /* Told to whoever began it. */ })
    underWay ??= write().finally(() => { underWay = undefined })
    await underWay
  }

  return {
    save,
    start () {
      timer ??= setInterval(() => { save().catch(onFailure) }, everyMs)
    },
    async close () {
      closing ??= (async () => {
        // Whoever has not started may be there by mistake, in the folder of another.
        if (timer === undefined) return
        clearInterval(timer)
        await within(LAST_SAVE_LIMIT_MS, save())
      })()
      await closing
    }
  }
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
