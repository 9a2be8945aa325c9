import { rename } from 'node:fs/promises'
import type { Logger } from 'pino'
import { DAY_MS } from '../../delivery/clock.js'
import { storageCause } from '../../errors/storage-cause.js'
import { systemCode } from '../../errors/system-code.js'
import { dayOf } from './file-position.js'
import type { OpenFile } from './open-file.js'
import type { RotatedFiles } from './rotated-files.js'

export interface RotationOptions {
  readonly path: string
  readonly rotated: RotatedFiles
  /** Above this size a new file is begun; 0: never. */
  readonly rotateBytes: number
  /** How long rotated files are kept, and then a new one is begun each day (UTC); 0: for ever, and not by day. */
  readonly keepDays: number
  readonly now: () => number
  readonly monotonic: () => number
  /** Whether the time is right, as far as can be told. */
  readonly isClockSteady: () => boolean
  readonly logger: Logger
}

/** Housekeeping of an event file. None of it may keep lines from being written: what fails is logged once and tried again later. */
export interface Rotation {
  /** Renames the file away if it is due. Returns whether it has. */
  readonly rotate: (current: Pick<OpenFile, 'bytes' | 'day'>) => Promise<boolean>
  /** Removes the rotated files that are older than they are to be kept. */
  readonly removeOld: () => Promise<void>
}

/** How soon a rotation that failed is tried again, in milliseconds. */
const RETRY_MS = 15_000

export function createRotation ({ path, rotated, rotateBytes, keepDays, now, monotonic, isClockSteady, logger }: RotationOptions): Rotation {
  const notRemoved = new Set<string>()
  let failure: string | undefined
  let retryAt = -Infinity

  function isDue ({ bytes, day }: Pick<OpenFile, 'bytes' | 'day'>): boolean {
    return bytes > 0 && ((rotateBytes > 0 && bytes >= rotateBytes) || (keepDays > 0 && day !== dayOf(now())))
  }

  function failed (error: unknown): void {
    const code = systemCode(error)
    // Only what the system refuses is nobody's defect.
    if (code === undefined) throw error
    retryAt = monotonic() + RETRY_MS
    if (code !== failure) logger.warn({ path, code, reason: reasons[code] ?? storageCause(error)?.reason ?? 'it cannot be renamed', err: error }, 'event file cannot be rotated: going on in it')
    failure = code
  }

  return {
    async rotate (current) {
      if (!isDue(current) || monotonic() < retryAt) return false
      try {
        await rename(path, await rotated.nextName(now()))
      } catch (error) {
        failed(error)
        return false
      }
      if (failure !== undefined) logger.info({ path }, 'event file rotated again')
      failure = undefined
      retryAt = -Infinity
      return true
    },

    async removeOld () {
      if (keepDays === 0 || !isClockSteady()) return
      try {
        await rotated.removeOlder({ now: now(), keepMs: keepDays * DAY_MS }, (file, error) => {
          if (notRemoved.has(file)) return
          notRemoved.add(file)
          logger.warn({ path: file, err: error }, 'rotated event file cannot be removed')
        })
      } catch (error) {
        // A folder that can't be listed may be gone: what is written next makes it again, or says why it can't.
        if (systemCode(error) === undefined) throw error
      }
    }
  }
}

const reasons: Readonly<Record<string, string>> = {
  EBUSY: 'it is a mount point of its own: mount its folder instead, or turn rotation off',
  EXDEV: 'it is a mount point of its own: mount its folder instead, or turn rotation off',
  EACCES: 'this user may not change its folder',
  EPERM: 'this user may not rename it: it belongs to another user in a folder with the sticky bit, or is immutable',
  ENOENT: 'it was moved or deleted meanwhile'
}
