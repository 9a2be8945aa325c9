import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Logger } from 'pino'
import { makeFolder } from '../../errors/make-folder.js'
import { lockInode, type InodeLock } from './inode-lock.js'
import { identityAt, identityOf } from './real-path.js'

/** Takes a file for this process alone; `undefined` where another has it. */
export type LockFile = (path: string) => { readonly release: () => void } | undefined

/** Another process, or another forwarder, writes to the event file. */
export class EventFileInUseError extends Error {
  override readonly name = 'EventFileInUseError'
  readonly code = 'EVENT_FILE_IN_USE'
}

/** Sees to it that nobody else who asks for this lock writes to the same event file. */
export interface WriteLock {
  /**
   * Makes sure that the path is ours. A lock that somebody has removed is taken again, where nobody else has it.
   * @throws {EventFileInUseError}
   */
  readonly holdPath: () => Promise<void>
  /**
   * Makes sure that the file itself is ours, whatever other names it has.
   * @throws {EventFileInUseError}
   */
  readonly holdFile: (file: FileHandle) => Promise<void>
  readonly release: () => Promise<void>
}

export interface WriteLockOptions {
  /** The event file's, with links resolved. */
  readonly path: string
  readonly lockFile: LockFile
  readonly logger: Logger
}

/**
 * Two locks, because each protects what the other can't: one on a file beside the event file, which holds wherever the folder is mounted,
 * and one on the event file's inode, which holds under all of its names and when the first lock's file was removed.
 */
export function createWriteLock ({ path, lockFile, logger }: WriteLockOptions): WriteLock {
  // Not *.lock: some entrypoints remove what is called so, to get rid of what a crash has left.
  const lockPath = `${path}.in-use`
  let onPath: { readonly release: () => void, readonly identity: string | undefined } | undefined
  let onFile: { readonly lock: InodeLock, readonly identity: string } | undefined

  function inUse (): EventFileInUseError {
    return new EventFileInUseError(`Another tierhook, or another forwarder, writes to the event file ${path}. Stop it first, or give this forwarder a file of its own.`)
  }

  async function letGoOfFile (): Promise<void> {
    const letGo = onFile
    onFile = undefined
    await letGo?.lock.release()
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
      await letGoOfFile()
      onFile = { lock, identity }
    },

    async release () {
      onPath?.release()
      onPath = undefined
      await letGoOfFile()
    }
  }
}
