import { createServer } from 'node:net'
import { platform } from 'node:os'
import { systemCode } from '../../errors/system-code.js'

export interface InodeLock {
  readonly release: () => Promise<void>
}

/**
 * Locks a file for this process by device and inode, so under all of its names, until `release` or the end of the process. The lock is
 * a socket in Linux's abstract namespace. It is not a file, so nobody can remove it. It works among the processes of one network
 * namespace, which is a machine or a container. On systems other than Linux it locks nothing.
 * @returns `undefined` if another process, or another part of this one, holds the lock
 */
export async function lockInode (identity: string): Promise<InodeLock | undefined> {
  if (platform() !== 'linux') return unlocked
  const server = createServer((socket) => { socket.destroy() })
  const code = await new Promise<string | undefined>((resolve) => {
    server.on('error', (error) => { resolve(systemCode(error) ?? 'unknown') })
    server.listen({ path: `\0tierhook-event-file-${identity}`, exclusive: true }, () => { resolve(undefined) })
  })
  if (code === 'EADDRINUSE') return undefined
  // The system lacks such sockets or forbids them. The lock beside the file must be enough.
  if (code !== undefined) return unlocked
  return {
    async release () { await new Promise<void>((resolve) => { server.close(() => { resolve() }) }) }
  }
}

const unlocked: InodeLock = { release: async () => {} }
