import { connect, type Socket } from 'node:net'
import { CANARY } from './canaries.js'

/** With a signature that could be one: without, the body would not be read. */
const head = `POST /webhooks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-Voucherify-Signature: ${'0'.repeat(64)}\r\nX-Canary: ${CANARY}\r\n`

/** What takes its time, or for ever. Each gets the bytes that it begins with, and what it drips from then on. */
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
  /** How many the service has cut off. */
  readonly cutOff: () => number
  /** Ends it, and resolves once all connections are closed: by the service those that it is to close, by us the rest. */
  readonly stop: () => Promise<void>
}

const DRIP_MS = 500

/** Holds so many connections open that are slow at everything, and opens another for each that is cut off. */
export function linger (port: number, count: number): Lingerers {
  const sockets = new Map<Socket, { readonly kind: (typeof kinds)[number], readonly closed: Promise<void> }>()
  let opened = 0
  let cutOff = 0
  let stopped = false

  function open (): void {
    const kind = kinds[opened++ % kinds.length]
    if (kind === undefined) return
    const socket = connect({ port, host: '127.0.0.1' })
    socket.on('error', () => { /* Seen as the close that follows. */ })
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
