import { join } from 'node:path'
import type { Logger } from 'pino'
import { keepFile, readKeptFile, type KeptFile } from '../kept-file/keep-file.js'
import { formatObservations, parseObservations, type Observations } from './observations.js'

/** Much more than all that it may hold. */
const LARGEST_BYTES = 8_388_608
const SAVE_EVERY_MS = 15_000

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

export interface KeepObservationsOptions {
  readonly dataDir: string
  readonly logger: Logger
  readonly observe: () => Observations
  readonly everyMs?: number
}

/** Keeps what was noticed for the next run. */
export function keepObservations ({ dataDir, logger, observe, everyMs = SAVE_EVERY_MS }: KeepObservationsOptions): KeptFile {
  return keepFile({
    path: observationsPath(dataDir),
    text: () => formatObservations(observe()),
    everyMs,
    onNotKept: (fields) => { logger.warn(fields, 'observations not kept') },
    onFailure: (error) => { logger.error({ err: error }, 'observations failed') }
  })
}
