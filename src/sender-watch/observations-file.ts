import { join } from 'node:path'
import type { Logger } from 'pino'
import { tellApart } from '../errors/storage-cause.js'
import { readKeptFile } from '../kept-file/keep-file.js'
import { replaceFile } from '../errors/replace-file.js'
import { createDriftResets } from './drift-reset.js'
import { parseObservations, type Observations } from './observations.js'
import type { ObservationsStore } from './observations-store.js'

/** Much more than all that it may hold. */
const LARGEST_BYTES = 8_388_608
/** How soon a running service does what is asked for. */
const LOOK_EVERY_MS = 2000
const SAVE_EVERY_MS = 15_000

export interface ObservationsFileOptions {
  readonly dataDir: string
  readonly logger: Logger
  readonly monotonic: () => number
  readonly lookEveryMs?: number
  readonly saveEveryMs?: number
}

export function observationsPath (dataDir: string): string {
  return join(dataDir, 'observations.json')
}

/**
 * What was kept; `undefined` where nothing was yet.
 * @throws where it can't be read, or is damaged
 */
export async function readObservations (dataDir: string): Promise<Observations | undefined> {
  const text = await readKeptFile(observationsPath(dataDir), LARGEST_BYTES)
  return text === undefined ? undefined : parseObservations(text)
}

/** Keeps what one service has noticed in a file of its data folder. A disk that takes nothing costs that, and nothing else. */
export function createObservationsFile ({ dataDir, logger, monotonic, lookEveryMs = LOOK_EVERY_MS, saveEveryMs = SAVE_EVERY_MS }: ObservationsFileOptions): ObservationsStore {
  const path = observationsPath(dataDir)
  const resets = createDriftResets({ dataDir, logger })
  let written = ''
  let savedAt = monotonic()

  return {
    everyMs: lookEveryMs,
    where: { path },
    read: async () => await readObservations(dataDir),
    async exchange (text, { atOnce }) {
      if (await resets.take()) return { others: [], forget: 'drift' }
      if (text === written || !(atOnce || monotonic() - savedAt >= saveEveryMs)) return { others: [] }
      try {
        await replaceFile(path, text)
      } catch (error) {
        throw await tellApart(error, dataDir)
      }
      written = text
      savedAt = monotonic()
      return { others: [] }
    },
    // There is nobody else.
    async resetDrift () {},
    async close () {}
  }
}
