import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer as createHttpServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import { createServer as createNetServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** As much of tap's test as this needs. */
export interface Teardown {
  teardown: (fn: () => unknown) => void
}

export interface Listening {
  readonly port: number
  readonly sockets: { now: number, most: number, total: number }
  /** Resolves once no connection is left; rejects if one stays. */
  readonly deserted: () => Promise<void>
}

/** Listens on a free port until the test is over. */
export async function listen (t: Teardown, server: Server): Promise<Listening> {
  const open = new Set<Socket>()
  const sockets = { now: 0, most: 0, total: 0 }
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    sockets.total += 1
    sockets.now += 1
    sockets.most = Math.max(sockets.most, sockets.now)
    socket.on('error', () => {})
    socket.on('close', () => {
      sockets.now -= 1
      open.delete(socket)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return {
    port: address.port,
    sockets,
    async deserted () {
      for (let tries = 0; tries < 500; tries++) {
        const count = await new Promise<number>((resolve) => { server.getConnections((_error, connections) => { resolve(connections) }) })
        if (count === 0) return
        await sleep(10)
      }
      throw new Error('a connection was left open')
    }
  }
}

export interface Received {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** An HTTP server that keeps what it received and answers as it is told. */
export async function httpDestination (t: Teardown, answer: (request: Received, response: ServerResponse) => void = (_request, response) => { response.end() }) {
  const received: Received[] = []
  const server = createHttpServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => { chunks.push(chunk) })
    request.on('end', () => {
      const each = { path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) }
      received.push(each)
      answer(each, response)
    })
  })
  const listening = await listen(t, server)
  return { ...listening, url: `http://127.0.0.1:${listening.port}/`, received }
}

/** A server that does with a connection what it likes once something has come. */
export async function rawDestination (t: Teardown, behave: (socket: Socket) => void) {
  const server = createNetServer((socket) => {
    socket.on('data', () => {})
    socket.once('data', () => { behave(socket) })
  })
  const listening = await listen(t, server)
  return { ...listening, url: `http://127.0.0.1:${listening.port}/` }
}

/** A port that nothing listens at. */
export async function freePort (): Promise<number> {
  const server = createNetServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address.port
}

/** A certificate of its own for localhost and 127.0.0.1. */
export function selfSigned (directory: string): { key: string, cert: string, certPath: string } {
  const keyPath = join(directory, 'key.pem')
  const certPath = join(directory, 'cert.pem')
  execFileSync('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-keyout', keyPath, '-out', certPath,
    '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'
  ], { stdio: 'ignore' })
  return { key: readFileSync(keyPath, 'utf8'), cert: readFileSync(certPath, 'utf8'), certPath }
}
