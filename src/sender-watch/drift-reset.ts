import { constants } from 'node:fs'
import { lstat, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { within } from '../delivery/within.js'

/** The note by which a person asks the service to reset drift; it need not run then. */
export const DRIFT_RESET_FILE = 'drift-reset'

/** How soon a running service does what is asked for. */
const LOOK_EVERY_MS = 2000
/** How long stopping waits for a disk that does not answer. */
const LAST_LOOK_LIMIT_MS = 500

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
  /** Looks at once, and again and again until `close`. */
  readonly start: () => void
  /** Resolves once no look is under way any more, or the disk does not answer. Idempotent. */
  readonly close: () => Promise<void>
}

export interface DriftResetsOptions {
  readonly dataDir: string
  readonly logger: Logger
  readonly reset: () => void
  readonly everyMs?: number
}

/** Resets drift when a note asks for it. The note is removed first: one that cannot be would ask again and again. */
export function watchForDriftResets ({ dataDir, logger, reset, everyMs = LOOK_EVERY_MS }: DriftResetsOptions): DriftResets {
  const path = join(dataDir, DRIFT_RESET_FILE)
  let timer: NodeJS.Timeout | undefined
  let looking: Promise<void> | undefined
  let failing = false

  async function look (): Promise<void> {
    try {
      await rm(path)
      failing = false
      if (timer !== undefined) reset()
      // It is closed meanwhile: the next run does it.
      else await askForDriftReset(dataDir)
    } catch (error) {
      const isAbsent = error instanceof Error && 'code' in error && error.code === 'ENOENT'
      if (!isAbsent && !failing) logger.warn({ err: error, path }, 'drift not reset')
      failing = !isAbsent
    }
  }

  function lookInTurn (): void {
    // A disk that does not answer must not be asked by ever more calls.
    looking ??= look().finally(() => { looking = undefined })
  }

  return {
    start () {
      timer ??= setInterval(lookInTurn, everyMs)
      lookInTurn()
    },
    async close () {
      clearInterval(timer)
      timer = undefined
      await within(LAST_LOOK_LIMIT_MS, Promise.resolve(looking))
    }
  }
}
