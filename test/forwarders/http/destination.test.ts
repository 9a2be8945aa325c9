import { createServer as createHttpServer, type IncomingHttpHeaders } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { connect, createServer as createNetServer, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Pool } from 'undici'
import { createDestination } from '../../../src/forwarders/http/destination.js'
import { createExchange, type ExchangeLimits } from '../../../src/forwarders/http/exchange.js'
import { attempt, attemptWith, forwarderTo } from './support/forwarder.js'
import { httpDestination, listen, rawDestination, selfSigned, type Teardown } from './support/servers.js'

interface Proxied {
  readonly method: string
  readonly target: string
  readonly headers: IncomingHttpHeaders
}

/** A proxy that passes on requests, in tunnels or not, and records them. */
async function startProxy (t: Teardown, refuse?: string) {
  const seen: Proxied[] = []
  const note = (request: { method?: string | undefined, url?: string | undefined, headers: IncomingHttpHeaders }): void => {
    seen.push({ method: request.method ?? '', target: request.url ?? '', headers: request.headers })
  }
  const server = createHttpServer((request, response) => {
    note(request)
    if (refuse !== undefined) {
      response.writeHead(Number(refuse)).end()
      return
    }
    const { hostname, port, pathname } = new URL(request.url ?? '')
    const upstream = connect(Number(port), hostname)
    upstream.on('error', () => { response.destroy() })
    upstream.write(`${request.method ?? ''} ${pathname} HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\nContent-Length: ${request.headers['content-length'] ?? 0}\r\n\r\n`)
    request.pipe(upstream)
    text(upstream).then((answer) => { response.writeHead(Number(answer.split(' ')[1])).end() }, () => {})
  })
  server.on('connect', (request, socket: Socket, head: Buffer) => {
    note(request)
    socket.on('error', () => {})
    if (refuse === 'hang') {
      socket.resume().on('end', () => { socket.end() })
      return
    }
    if (refuse !== undefined) {
      socket.end(`HTTP/1.1 ${refuse} No\r\n\r\n`)
      return
    }
    const { hostname, port } = new URL(`http://${request.url ?? ''}`)
    const upstream = connect(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      upstream.write(head)
      upstream.pipe(socket).pipe(upstream)
    })
    upstream.on('error', () => { socket.destroy() })
    upstream.on('close', () => { socket.destroy() })
    socket.on('close', () => { upstream.destroy() })
  })
  const listening = await listen(t, server)
  return { ...listening, address: `127.0.0.1:${listening.port}`, seen }
}

async function startTlsDestination (t: Teardown, directory: string) {
  const { key, cert, certPath } = selfSigned(directory)
  const paths: string[] = []
  const server = createTlsServer({ key, cert }, (request, response) => {
    paths.push(request.url ?? '')
    request.resume().on('end', () => { response.end('thanks') })
  })
  const listening = await listen(t, server)
  return { ...listening, url: `https://localhost:${listening.port}/hook`, certPath, paths }
}

t.test('only NODE_EXTRA_CA_CERTS makes a certificate trusted, with a proxy and without', async (t) => {
  const destination = await startTlsDestination(t, t.testdir())
  const proxy = await startProxy(t)
  const trusted = { NODE_EXTRA_CA_CERTS: destination.certPath }
  const unchecked = { NODE_TLS_REJECT_UNAUTHORIZED: '0' }
  const through = { HTTPS_PROXY: `http://user:pass%20word@${proxy.address}` }
  const [direct, wrong] = await Promise.all([attemptWith(destination.url, trusted), attemptWith(destination.url, unchecked)])
  t.match(direct, [{ status: 'forwarded', detail: 'status 200', answer: 'thanks' }])
  t.match(wrong, [{ status: 'retry', reason: /self-signed/ }])
  t.equal(proxy.seen.length, 0)

  const [proxied, wrongToo] = await Promise.all([
    attemptWith(destination.url, { ...trusted, ...through }), attemptWith(destination.url, { ...unchecked, ...through })
  ])
  t.match(proxied, [{ status: 'forwarded', detail: 'status 200', answer: 'thanks' }])
  t.match(wrongToo, [{ status: 'retry', reason: /self-signed/ }])
  t.strictSame(destination.paths, ['/hook', '/hook'])
  t.match(proxy.seen[0], {
    method: 'CONNECT', target: `localhost:${destination.port}`, headers: { 'proxy-authorization': `Basic ${Buffer.from('user:pass word').toString('base64')}` }
  })
  t.notOk('authorization' in (proxy.seen[0]?.headers ?? {}), 'the proxy does not get the destination\'s Authorization header')
  await Promise.all([destination.deserted(), proxy.deserted()])
})

t.test('an http destination behind a proxy gets a plain request and no tunnel', async (t) => {
  const destination = await httpDestination(t)
  const proxy = await startProxy(t)
  for (const environment of [{ HTTP_PROXY: proxy.address }, { http_proxy: `http://${proxy.address}/`, HTTP_PROXY: 'http://127.0.0.1:1' }]) {
    const forwarder = forwarderTo(t, `${destination.url}hook`, { environment })
    t.strictSame(await attempt(forwarder), { status: 'forwarded', detail: 'status 200' })
    await forwarder.close?.()
  }
  t.strictSame(proxy.seen.map(({ method, target }) => `${method} ${target}`), Array(2).fill(`POST ${destination.url}hook`))
  t.equal(proxy.seen[0]?.headers['host'], `127.0.0.1:${destination.port}`)
  t.equal(destination.received.length, 2)
  await Promise.all([destination.deserted(), proxy.deserted()])
})

t.test('the proxy is not used for NO_PROXY, for the other protocol, or because of the process\'s own environment', async (t) => {
  const destination = await httpDestination(t)
  const proxy = await startProxy(t)
  const before = { ...process.env }
  t.teardown(() => { process.env = before })
  process.env['HTTP_PROXY'] = `http://${proxy.address}`
  process.env['HTTPS_PROXY'] = `http://${proxy.address}`
  const environments = [
    {}, { HTTP_PROXY: '' }, { HTTPS_PROXY: proxy.address },
    { HTTP_PROXY: proxy.address, NO_PROXY: 'example.com, 127.0.0.1' }, { HTTP_PROXY: proxy.address, no_proxy: '*' },
    { HTTP_PROXY: proxy.address, NO_PROXY: 'localhost,127.0.0.0/8,::1,.svc' }, { HTTP_PROXY: proxy.address, NO_PROXY: `127.0.0.1:${destination.port}` }
  ]
  for (const environment of environments) {
    const forwarder = forwarderTo(t, destination.url, { environment })
    t.match(await attempt(forwarder), { status: 'forwarded' })
    await forwarder.close?.()
  }
  t.equal(proxy.seen.length, 0)
  t.equal(destination.received.length, environments.length)
  await Promise.all([destination.deserted(), proxy.deserted()])
})

t.test('a proxy that refuses, hangs or does not exist is a failure that leaks nothing', async (t) => {
  const destination = await httpDestination(t)
  for (const [refuse, reason] of [['403', /403/], ['407', /407/], ['hang', /Timeout/]] as const) {
    const proxy = await startProxy(t, refuse)
    const forwarder = forwarderTo(t, 'https://127.0.0.1:1/', { environment: { HTTPS_PROXY: proxy.address }, timeoutMs: 1200 })
    t.match(await attempt(forwarder), { status: 'retry', reason }, refuse)
    await forwarder.close?.()
    await proxy.deserted()
  }
  const plain = await startProxy(t, '407')
  const forwarder = forwarderTo(t, destination.url, { environment: { HTTP_PROXY: plain.address } })
  t.match(await attempt(forwarder), { status: 'retry', reason: /407/ })
  t.match(await attempt(forwarder), { status: 'retry', reason: /407/ })
  await forwarder.close?.()
  await plain.deserted()
  t.match(await attempt(forwarderTo(t, destination.url, { environment: { HTTP_PROXY: '127.0.0.1:1' } })), { status: 'retry', reason: /ECONNREFUSED/ })
  t.equal(destination.received.length, 0)
})

t.test('a proxy that first answers 100 is read like any other destination', async (t) => {
  const plain = await rawDestination(t, (socket) => { socket.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok') })
  t.strictSame(await attempt(forwarderTo(t, 'http://127.0.0.1:1/', { environment: { HTTP_PROXY: `127.0.0.1:${plain.port}` } })), { status: 'forwarded', detail: 'status 200', answer: 'ok' })

  const secure = await startTlsDestination(t, t.testdir())
  const tunnel = await listen(t, createNetServer((socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 Connection established\r\n\r\n')
      const upstream = connect(secure.port, '127.0.0.1')
      upstream.on('error', () => { socket.destroy() })
      upstream.pipe(socket).pipe(upstream)
    })
  }))
  const outcome = await attempt(forwarderTo(t, secure.url, { environment: { HTTPS_PROXY: `127.0.0.1:${tunnel.port}` } }))
  t.match(outcome, { status: 'retry', reason: /self-signed/ }, 'the tunnel leads to the destination, whose certificate is self-signed')
})

t.test('an invalid proxy stops the start, and is not shown', async (t) => {
  for (const wrong of ['socks5://user:hunter2@x:1', 'http://', 'ftp://hunter2', 'hunter2:port']) {
    t.throws(() => forwarderTo(t, 'https://x.example/', { environment: { HTTPS_PROXY: wrong } }), {
      name: 'TypeError', message: 'HTTPS_PROXY must be the http:// or https:// URL of a proxy, or its host and port'
    })
  }
})

t.test('after an exchange the pool has nothing running, waiting or queued, whatever its result', async (t) => {
  const limits: ExchangeLimits = { timeoutMs: 200, bodyLimitBytes: 100, keepBytes: 10 }
  const { signal } = new AbortController()
  const ways: ReadonlyArray<(socket: Socket) => void> = [
    () => {},
    (socket) => { socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf') },
    (socket) => { socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(1000)}`) },
    (socket) => { socket.resetAndDestroy() },
    (socket) => { socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok') }
  ]
  for (const behave of ways) {
    const server = await rawDestination(t, behave)
    const { dispatcher, origin, path } = createDestination({ url: server.url, connections: 2, timeoutMs: 200, environment: {} })
    if (!(dispatcher instanceof Pool)) throw new Error('there is no pool')
    const exchange = createExchange(dispatcher, limits)
    const ends = await Promise.allSettled(Array.from({ length: 6 }, async () => await exchange({ origin, path, method: 'POST' }, { signal })))
    for (const end of ends) if (end.status === 'fulfilled') t.ok(end.value.start.byteLength <= 10)
    for (let tries = 0; dispatcher.stats.size > 0 && tries < 12_000; tries++) await sleep(10)
    t.match(dispatcher.stats, { running: 0, pending: 0, queued: 0, size: 0 })
    // From the server's view, either connection may still be closing when the next one arrives.
    t.ok(server.sockets.most <= 4, 'the forwarder never exceeds its limit of connections')
    await dispatcher.destroy()
    await server.deserted()
  }
})

t.test('a request whose time ran out while it waited for a connection is never sent', async (t) => {
  const server = await httpDestination(t, (_request, response) => { setTimeout(() => { response.end() }, 300) })
  const { dispatcher, origin, path } = createDestination({ url: server.url, connections: 1, timeoutMs: 5000, environment: {} })
  const send = async (timeoutMs: number, to: string) => await createExchange(dispatcher, { timeoutMs, bodyLimitBytes: 100, keepBytes: 10 })(
    { origin, path: `${path}${to}`, method: 'POST' }, { signal: new AbortController().signal }
  )
  const first = send(5000, 'first')
  await t.rejects(send(100, 'second'), /no whole answer within 100 ms/)
  t.match(await first, { statusCode: 200 })
  t.match(await send(5000, 'third'), { statusCode: 200 })
  t.strictSame(server.received.map((request) => request.path), ['/first', '/third'])
  await dispatcher.destroy()
  await server.deserted()
})

t.test('missing headers are always reported in the same way, not by whichever of two timers is first', async (t) => {
  const server = await rawDestination(t, () => {})
  const { dispatcher, origin, path } = createDestination({ url: server.url, connections: 1, timeoutMs: 20, environment: {} })
  const exchange = createExchange(dispatcher, { timeoutMs: 200, bodyLimitBytes: 100, keepBytes: 10 })
  await t.rejects(exchange({ origin, path, method: 'POST' }, { signal: new AbortController().signal }), /no whole answer within 200 ms/)
  await dispatcher.destroy()
  await server.deserted()
})
