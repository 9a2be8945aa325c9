import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Logger } from 'pino'
import { makeFolder } from '../../errors/make-folder.js'
import { lockInode, type InodeLock } from './inode-lock.js'
import { identityAt, identityOf } from './real-path.js'

/** Locks a file for this process; `undefined` if another process holds the lock. */
export type LockFile = (path: string) => { readonly release: () => void } | undefined

/** Another process, or another forwarder, writes to the event file. */
export class EventFileInUseError extends Error {
  override readonly name = 'EventFileInUseError'
  readonly code = 'EVENT_FILE_IN_USE'
}

/** Ensures that only one forwarder that uses this lock writes to an event file. */
export interface WriteLock {
  /**
   * Takes the lock on the path. If the lock's file was removed, takes the lock again, unless another process has it now.
   * @throws {EventFileInUseError}
   */
  readonly holdPath: () => Promise<void>
  /**
   * Takes the lock on the file itself, under all of its names.
   * @throws {EventFileInUseError}
   */
  readonly holdFile: (file: FileHandle) => Promise<void>
  readonly release: () => Promise<void>
}

export interface WriteLockOptions {
  /** The event file's path, with links resolved. */
  readonly path: string
  readonly lockFile: LockFile
  readonly logger: Logger
}

/**
 * Combines two locks, because each covers what the other cannot. The lock on a file beside the event file holds wherever the folder is
 * mounted. The lock on the event file's inode holds under all of its names, and even if the first lock's file is removed.
 */
export function createWriteLock ({ path, lockFile, logger }: WriteLockOptions): WriteLock {
  // Not *.lock: some container entrypoints remove such files to clean up after a crash.
  const lockPath = `${path}.in-use`
  let onPath: { readonly release: () => void, readonly identity: string | undefined } | undefined
  let onFile: { readonly lock: InodeLock, readonly identity: string } | undefined

  function inUse (): EventFileInUseError {
    return new EventFileInUseError(`Another tierhook, or another forwarder, writes to the event file ${path}. Stop it first, or give this forwarder a file of its own.`)
  }

  async function releaseFile (): Promise<void> {
    const released = onFile
    onFile = undefined
    await released?.lock.release()
  }

  return {
    async holdPath () {
      if (onPath !== undefined) {
        const there = await identityAt(lockPath)
        if (there !== undefined && there === onPath.identity) return
        logger.warn({ path: lockPath }, 'event file\'s lock was removed: taking it again')
        onPath.release()
        onPath = undefined
      }
      await makeFolder(dirname(lockPath))
      const lock = lockFile(lockPath)
      if (lock === undefined) throw inUse()
      onPath = { ...lock, identity: await identityAt(lockPath) }
    },

    async holdFile (file) {
      const identity = identityOf(await file.stat({ bigint: true }))
      if (onFile?.identity === identity) return
      const lock = await lockInode(identity)
      if (lock === undefined) throw inUse()
      await releaseFile()
      onFile = { lock, identity }
    },

    async release () {
      onPath?.release()
      onPath = undefined
      await releaseFile()
    }
  }
}
