import { createServer as createTlsServer } from 'node:https'
import { createServer as createHttpServer } from 'node:http'
import { connect, createServer as createNetServer, type Socket } from 'node:net'
import t from 'tap'
import { forwarderTo } from './support/forwarder.js'
import { freePort, listen, selfSigned } from './support/servers.js'

const signal = new AbortController().signal

t.test('the check connects and sends nothing', async (t) => {
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

t.test('the reason for a failed connection is reported', async (t) => {
  await t.rejects(forwarderTo(t, `http://127.0.0.1:${await freePort()}/`).check?.(signal) ?? Promise.resolve(), { message: /ECONNREFUSED/ })
  await t.rejects(forwarderTo(t, 'http://nowhere.invalid/').check?.(signal) ?? Promise.resolve(), { message: /nowhere\.invalid/ })
})

t.test('an untrusted certificate is a failed connection', async (t) => {
  const { port } = await listen(t, createTlsServer(selfSigned(t.testdir())))
  await t.rejects(forwarderTo(t, `https://127.0.0.1:${port}/`).check?.(signal) ?? Promise.resolve(), { message: /self-signed certificate/ })
})

t.test('a destination behind a proxy is reached through it', async (t) => {
  const asked: string[] = []
  let requests = 0
  const { port: tlsPort } = await listen(t, createTlsServer(selfSigned(t.testdir())))
  const proxy = createHttpServer(() => { requests++ })
  proxy.on('connect', (request, socket: Socket) => {
    asked.push(String(request.url))
    const through = connect(tlsPort, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      through.pipe(socket).pipe(through)
    })
    through.on('error', () => {})
    socket.on('error', () => {})
  })
  const { port, sockets } = await listen(t, proxy)
  const environment = { HTTPS_PROXY: `http://127.0.0.1:${port}`, HTTP_PROXY: `http://127.0.0.1:${port}` }
  const secure = forwarderTo(t, 'https://shop.example/', { environment })
  await t.rejects(secure.check?.(signal) ?? Promise.resolve(), { message: /self-signed certificate/ })
  t.strictSame(asked, ['shop.example:443'])
  const before = sockets.total
  await forwarderTo(t, 'http://shop.example/', { environment }).check?.(signal)
  t.ok(sockets.total > before)
  t.equal(requests, 0)
})

t.test('the check ends when its time is over', async (t) => {
  // The server sends nothing, so TLS never begins.
  const { port } = await listen(t, createNetServer())
  const forwarder = forwarderTo(t, `https://127.0.0.1:${port}/`)
  const controller = new AbortController()
  const tried = forwarder.check?.(controller.signal) ?? Promise.resolve()
  controller.abort(new Error('over'))
  await t.rejects(tried, { message: 'There was no connection in time' })
  await t.rejects(forwarder.check?.(AbortSignal.abort()) ?? Promise.resolve(), { message: 'There was no connection in time' })
})
