import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { replaceFile } from '../sender-watch/replace-file.js'
import { formatObservations, parseObservations, type Observations } from './observations.js'

/** Much more than all that it may hold. */
const LARGEST_BYTES = 8_388_608
const SAVE_EVERY_MS = 15_000
/** How long stopping waits for a disk that does not answer. */
const LAST_SAVE_LIMIT_MS = 500

export function observationsPath (dataDir: string): string {
  return join(dataDir, 'observations.json')
}

/**
 * What was kept; `undefined` where nothing was yet.
 * @throws where it can't be read, or is damaged
 */
export async function readObservations (dataDir: string): Promise<Observations | undefined> {
  let bytes: Buffer
  try {
    bytes = await readFile(observationsPath(dataDir))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  if (bytes.byteLength > LARGEST_BYTES) throw new Error(`It is larger than ${LARGEST_BYTES} bytes`)
  return parseObservations(bytes.toString('utf8'))
}

export interface KeepObservationsOptions {
  readonly dataDir: string
  readonly logger: Logger
  readonly observe: () => Observations
  readonly everyMs?: number
}

export interface KeptObservations {
  /** Resolves when what is observed now is in the file, or can't be. Never rejects. */
  readonly save: () => Promise<void>
  /** Saves again and again, until `close`. */
  readonly start: () => void
  /** Saves a last time, if it was started. Idempotent. */
  readonly close: () => Promise<void>
}

/** Writes what was noticed to a file now and then, as a whole or not at all. A disk that takes nothing costs the notes, and nothing else. */
export function keepObservations ({ dataDir, logger, observe, everyMs = SAVE_EVERY_MS }: KeepObservationsOptions): KeptObservations {
  const path = observationsPath(dataDir)
  let written = ''
  let failing = false
  let timer: NodeJS.Timeout | undefined
  let underWay: Promise<void> | undefined
  let closing: Promise<void> | undefined

  async function write (): Promise<void> {
    const text = formatObservations(observe())
    if (text === written) return
    try {
      await replaceFile(path, text)
      written = text
      failing = false
    } catch (error) {
      if (!failing) logger.warn({ err: error, path }, 'observations not kept')
      failing = true
    }
  }

  async function save (): Promise<void> {
    underWay ??= write().finally(() => { underWay = undefined })
    await underWay
  }

  return {
    save,
    start () {
      timer ??= setInterval(() => { save().catch((error: unknown) => { logger.error({ err: error }, 'observations failed') }) }, everyMs)
    },
    async close () {
      closing ??= (async () => {
        // Whoever has not started may be there by mistake, in the folder of another.
        if (timer === undefined) return
        clearInterval(timer)
        let limit: NodeJS.Timeout | undefined
        const timeout = new Promise<void>((resolve) => { limit = setTimeout(resolve, LAST_SAVE_LIMIT_MS) })
        // What is under way began before the last was noticed.
        const last = (underWay ?? Promise.resolve()).then(save)
        await Promise.race([last, timeout])
        clearTimeout(limit)
      })()
      await closing
    }
  }
}
