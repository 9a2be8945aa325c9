import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { Test } from 'tap'

/** A network between a client and a server. It can be cut, and can lead to another server. */
export interface TcpProxy {
  readonly port: number
  /** Directs new connections to this port. Existing connections stay. */
  readonly leadTo: (port: number) => void
  /** Closes every connection. */
  readonly drop: () => void
  /** Swallows everything from now on. Open connections stay open, new ones are accepted, and nothing is answered or reset. */
  readonly cut: () => void
  /** Lets new connections work again. Connections that were cut stay silent until one side closes them. */
  readonly mend: () => void
}

interface Pair {
  readonly client: Socket
  readonly server: Socket | undefined
  isDumb: boolean
}

export async function startTcpProxy (t: Pick<Test, 'teardown'>, target: number): Promise<TcpProxy> {
  const pairs = new Set<Pair>()
  let isCut = false

  const listener = createServer({ noDelay: true }, (client) => {
    const server = isCut ? undefined : connect({ port: target, host: '127.0.0.1', noDelay: true })
    const pair: Pair = { client, server, isDumb: isCut }
    pairs.add(pair)
    for (const [from, to] of [[client, server], [server, client]] as const) {
      from?.on('error', () => undefined)
      from?.on('data', (chunk: Buffer) => { if (!pair.isDumb) to?.write(chunk) })
      from?.on('close', () => {
        // Through a cut network, the client cannot see that the server has closed.
        if (!pair.isDumb || from === client) to?.destroy()
      })
    }
    client.on('close', () => { pairs.delete(pair) })
  }).listen(0, '127.0.0.1')
  await once(listener, 'listening')

  function drop (): void {
    for (const { client, server } of pairs) {
      client.destroy()
      server?.destroy()
    }
  }

  t.teardown(() => {
    drop()
    listener.close()
  })
  return {
    port: (listener.address() as AddressInfo).port,
    leadTo (port) { target = port },
    drop,
    cut () {
      isCut = true
      for (const pair of pairs) pair.isDumb = true
    },
    mend () { isCut = false }
  }
}
