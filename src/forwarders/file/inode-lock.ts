import { createServer } from 'node:net'
import { platform } from 'node:os'
import { systemCode } from '../../errors/system-code.js'

export interface InodeLock {
  readonly release: () => Promise<void>
}

/**
 * Takes a file for this process alone by its device and inode, whatever name it is opened by, until `release` or the end of the
 * process. It is a socket in Linux's abstract namespace: it is no file, so nobody can remove it. It holds among processes of one network
 * namespace, which is a machine or a container, and nowhere but on Linux.
 * @returns `undefined` where another process, or another part of this one, has it
 */
export async function lockInode (identity: string): Promise<InodeLock | undefined> {
  if (platform() !== 'linux') return unlocked
  const server = createServer((socket) => { socket.destroy() })
  const code = await new Promise<string | undefined>((resolve) => {
    server.on('error', (error) => { resolve(systemCode(error) ?? 'unknown') })
    server.listen({ path: `\0tierhook-event-file-${identity}`, exclusive: true }, () => { resolve(undefined) })
  })
  if (code === 'EADDRINUSE') return undefined
  // A system that has no such sockets, or does not let us: the lock beside the file has to do.
  if (code !== undefined) return unlocked
  return {
    async release () { await new Promise<void>((resolve) => { server.close(() => { resolve() }) }) }
  }
}

const unlocked: InodeLock = { release: async () => {} }
