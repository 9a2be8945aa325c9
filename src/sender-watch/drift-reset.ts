import { constants } from 'node:fs'
import { lstat, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'

/** The file by which an operator asks for a reset of drift. The service need not be running. */
export const DRIFT_RESET_FILE = 'drift-reset'

/** Follows no link, because it could lead anywhere, and does not wait at a pipe. */
const TO_MAKE = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** @throws if the file cannot be written */
export async function askForDriftReset (dataDir: string): Promise<void> {
  const file = await open(join(dataDir, DRIFT_RESET_FILE), TO_MAKE, 0o640)
  await file.close()
}

/** Whether a reset was requested that no service has done yet. */
export async function isDriftResetAskedFor (dataDir: string): Promise<boolean> {
  return await lstat(join(dataDir, DRIFT_RESET_FILE)).then(() => true, () => false)
}

export interface DriftResets {
  /**
   * Removes the file and resolves with whether there was one. If the file cannot be removed there is no reset, because it would repeat for ever.
   */
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
