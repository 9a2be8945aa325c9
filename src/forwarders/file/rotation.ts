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
  /** The size in bytes above which a new file is begun; 0: no limit. */
  readonly rotateBytes: number
  /** How long rotated files are kept. If above 0, a new file is also begun each day (UTC). 0: rotated files are kept for ever. */
  readonly keepDays: number
  readonly now: () => number
  readonly monotonic: () => number
  /** Whether the wall clock is believed to be right. */
  readonly isClockSteady: () => boolean
  readonly logger: Logger
}

/** Housekeeping of an event file. It must not keep lines from being written, so a failure is logged once and tried again later. */
export interface Rotation {
  /** Renames the file if its rotation is due. Returns whether it was renamed. */
  readonly rotate: (current: Pick<OpenFile, 'bytes' | 'day'>) => Promise<boolean>
  /** Removes rotated files that are older than `keepDays`. */
  readonly removeOld: () => Promise<void>
}

/** How long after a failed rotation the next try is made, in milliseconds. */
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
    // An error without a system code is a bug in this program.
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
        // The folder may be gone. The next append makes it again, or reports why it cannot.
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
