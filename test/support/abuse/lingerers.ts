import { connect, type Socket } from 'node:net'
import { CANARY } from './canaries.js'

/** Has a well-formed signature, because the body would not be read without one. */
const head = `POST /webhooks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-Voucherify-Signature: ${'0'.repeat(64)}\r\nX-Canary: ${CANARY}\r\n`

/** Slow clients. Each one sends the bytes in `begin`, and then `drip` again and again. */
const kinds: ReadonlyArray<{ readonly begin: string, readonly drip: string, readonly reads: boolean }> = [
  { begin: '', drip: '', reads: true },
  { begin: 'POST /web', drip: '', reads: true },
  { begin: head, drip: 'X', reads: true },
  { begin: head, drip: 'X-A: b\r\n', reads: true },
  { begin: `${head}Content-Length: 60000\r\n\r\n`, drip: ' ', reads: true },
  { begin: `${head}Transfer-Encoding: chunked\r\n\r\n`, drip: '1\r\n \r\n', reads: true },
  { begin: `${head}Transfer-Encoding: chunked\r\n\r\n1`, drip: '', reads: true },
  { begin: `GET /health/live HTTP/1.1\r\nHost: x\r\nX-Canary: ${CANARY}\r\n\r\n`.repeat(100), drip: '', reads: false }
]

export interface Lingerers {
  /** The number of connections that the service has cut off. */
  readonly cutOff: () => number
  /** Closes all connections and resolves when they are closed. */
  readonly stop: () => Promise<void>
}

const DRIP_MS = 500

/** Keeps this many slow connections open. Replaces each one that is cut off. */
export function linger (port: number, count: number): Lingerers {
  const sockets = new Map<Socket, { readonly kind: (typeof kinds)[number], readonly closed: Promise<void> }>()
  let opened = 0
  let cutOff = 0
  let stopped = false

  function open (): void {
    const kind = kinds[opened++ % kinds.length]
    if (kind === undefined) return
    const socket = connect({ port, host: '127.0.0.1' })
    socket.on('error', () => { /* The close that follows is handled. */ })
    const closed = new Promise<void>((resolve) => {
      socket.on('close', () => {
        sockets.delete(socket)
        if (!stopped) {
          cutOff++
          open()
        }
        resolve()
      })
    })
    sockets.set(socket, { kind, closed })
    socket.write(kind.begin)
    if (kind.reads) socket.resume()
    else socket.pause()
  }

  for (let index = 0; index < count; index++) open()
  const dripping = setInterval(() => {
    for (const [socket, { kind }] of sockets) if (kind.drip !== '' && socket.writable) socket.write(kind.drip)
  }, DRIP_MS)

  return {
    cutOff: () => cutOff,
    async stop () {
      stopped = true
      clearInterval(dripping)
      const closed = [...sockets.values()].map((each) => each.closed)
      for (const socket of sockets.keys()) socket.destroy()
      await Promise.all(closed)
    }
  }
}
