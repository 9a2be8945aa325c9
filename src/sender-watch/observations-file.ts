import { join } from 'node:path'
import type { Logger } from 'pino'
import { explainNoSpace } from '../errors/storage-cause.js'
import { readKeptFile } from '../kept-file/keep-file.js'
import { replaceFile } from '../errors/replace-file.js'
import { createDriftResets } from './drift-reset.js'
import { parseObservations, type Observations } from './observations.js'
import type { ObservationsStore } from './observations-store.js'

/** Much larger than the largest valid file. */
const LARGEST_BYTES = 8_388_608
/** How soon a running service notices a requested reset, in milliseconds. */
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
 * Reads the kept observations; `undefined` if there are none yet.
 * @throws if the file cannot be read, or is damaged
 */
export async function readObservations (dataDir: string): Promise<Observations | undefined> {
  const text = await readKeptFile(observationsPath(dataDir), LARGEST_BYTES)
  return text === undefined ? undefined : parseObservations(text)
}

/** Keeps one service's observations in a file of its data folder. If the disk fails, only observations are lost. */
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
        throw await explainNoSpace(error, dataDir)
      }
      written = text
      savedAt = monotonic()
      return { others: [] }
    },
    // There is no other replica.
    async resetDrift () {},
    async close () {}
  }
}
