import { createServer as createTlsServer } from 'node:https'
import { createServer as createHttpServer } from 'node:http'
import { connect, createServer as createNetServer, type Socket } from 'node:net'
import t from 'tap'
import { createDestination } from '../../../src/forwarders/http/destination.js'
import { tryConnection } from '../../../src/forwarders/http/try-connection.js'
import { forwarderTo } from './support/forwarder.js'
import { freePort, listen, rawDestination, selfSigned } from './support/servers.js'

const signal = new AbortController().signal

t.test('it connects and sends nothing', async (t) => {
  let bytes = 0
  const server = createNetServer((socket) => { socket.on('data', (chunk) => { bytes += chunk.byteLength }) })
  const { port, sockets, deserted } = await listen(t, server)
  const forwarder = forwarderTo(t, `http://127.0.0.1:${port}/hook`)
  await forwarder.check?.(signal)
  await forwarder.check?.(signal)
  t.ok(sockets.total > 0)
  await forwarder.close?.()
  await deserted()
  t.equal(bytes, 0)
})

t.test('why there is no connection is told', async (t) => {
  await t.rejects(forwarderTo(t, `http://127.0.0.1:${await freePort()}/`).check?.(signal) ?? Promise.resolve(), { message: /ECONNREFUSED/ })
  await t.rejects(forwarderTo(t, 'http://nowhere.invalid/').check?.(signal) ?? Promise.resolve(), { message: /nowhere\.invalid/ })
})

t.test('a certificate that is not trusted is no connection', async (t) => {
  const { port } = await listen(t, createTlsServer(selfSigned(t.testdir())))
  await t.rejects(forwarderTo(t, `https://127.0.0.1:${port}/`).check?.(signal) ?? Promise.resolve(), { message: /self-signed certificate/ })
})

t.test('a destination behind a proxy is connected to through it', async (t) => {
  const asked: string[] = []
  const destination = await rawDestination(t, () => {})
  const proxy = createHttpServer()
  proxy.on('connect', (request, socket: Socket) => {
    asked.push(String(request.url))
    const through = connect(destination.port, '127.0.0.1', () => { socket.write('HTTP/1.1 200 OK\r\n\r\n') })
    through.on('error', () => {})
    socket.on('close', () => { through.destroy() })
    // The TLS that follows is not what this is about.
    socket.end()
  })
  const { port } = await listen(t, proxy)
  const environment = { HTTPS_PROXY: `http://127.0.0.1:${port}` }
  const through = createDestination({ url: 'https://shop.example/', connections: 1, timeoutMs: 5000, environment })
  t.teardown(async () => { await through.dispatcher.destroy() })
  await t.rejects(tryConnection(through, signal))
  t.ok(asked.includes('shop.example:443'), asked.join())
})

t.test('it ends when its time is over', async (t) => {
  // Says nothing, so that TLS never begins.
  const { port } = await listen(t, createNetServer())
  const forwarder = forwarderTo(t, `https://127.0.0.1:${port}/`)
  const controller = new AbortController()
  const tried = forwarder.check?.(controller.signal) ?? Promise.resolve()
  controller.abort(new Error('over'))
  await t.rejects(tried, { message: 'There was no connection in time' })
  await t.rejects(forwarder.check?.(AbortSignal.abort()) ?? Promise.resolve(), { message: 'There was no connection in time' })
})
