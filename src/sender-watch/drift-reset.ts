import { constants } from 'node:fs'
import { lstat, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'

/** The note by which a person asks the service to reset drift; it need not run then. */
export const DRIFT_RESET_FILE = 'drift-reset'

/** Through no link, which could lead anywhere, and waiting for nobody. */
const TO_MAKE = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** @throws where the note cannot be written */
export async function askForDriftReset (dataDir: string): Promise<void> {
  const file = await open(join(dataDir, DRIFT_RESET_FILE), TO_MAKE, 0o640)
  await file.close()
}

/** Whether a reset is asked for that no service has done yet. */
export async function isDriftResetAskedFor (dataDir: string): Promise<boolean> {
  return await lstat(join(dataDir, DRIFT_RESET_FILE)).then(() => true, () => false)
}

export interface DriftResets {
  /** Resolves with whether a reset was asked for. The note is removed first: one that cannot be would ask again and again. */
  readonly take: () => Promise<boolean>
}

export function createDriftResets ({ dataDir, logger }: { readonly dataDir: string, readonly logger: Logger }): DriftResets {
  const path = join(dataDir, DRIFT_RESET_FILE)
  let isFailing = false
  return {
    async take () {
      try {
        await rm(path)
        isFailing = false
        return true
      } catch (error) {
        const isAbsent = error instanceof Error && 'code' in error && error.code === 'ENOENT'
        if (!isAbsent && !isFailing) logger.warn({ err: error, path }, 'drift not reset')
        isFailing = !isAbsent
        return false
      }
    }
  }
}
