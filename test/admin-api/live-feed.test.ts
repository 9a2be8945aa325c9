import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { buildAdmin } from '../support/build-admin.js'
import { eventually } from '../support/eventually.js'
import { makeStore, newDelivery } from '../journal/sqlite/stored.js'

/** A client that keeps the events that it receives. */
async function listen (t: Test, url: string) {
  const controller = new AbortController()
  t.teardown(() => { controller.abort() })
  const response = await fetch(`${url}/api/events`, { signal: controller.signal })
  const heard = { text: '', ended: false }
  const read = async (): Promise<void> => {
    for await (const chunk of response.body ?? []) heard.text += Buffer.from(chunk).toString()
  }
  read().catch(() => { /* the abort */ }).finally(() => { heard.ended = true })
  return {
    response,
    heard,
    events: () => [...heard.text.matchAll(/event: changed\ndata: (.*)\n\n/g)].map(([, data]) => JSON.parse(data ?? '')),
    leave: () => { controller.abort() }
  }
}

function rawSocket (t: Test, port: number, text: string) {
  const socket = connect(port, '127.0.0.1', () => { socket.write(text) })
  t.teardown(() => { socket.destroy() })
  socket.on('error', () => {})
  return { closed: new Promise<void>(resolve => { socket.on('close', () => { resolve() }) }) }
}

t.test('a client gets the state at once, and then changes, many of them in one event', async t => {
  const store = makeStore(t)
  const admin = await buildAdmin(t, { dataDir: store.dataDir, feed: { intervalMs: 50 } })
  const client = await listen(t, admin.url)
  t.match(client.response.headers.get('content-type'), 'text/event-stream')
  t.equal(client.response.headers.get('cache-control'), 'no-store')
  await eventually(() => client.events().length === 1 ? true : undefined, 'the first event')
  t.same(client.events(), [{ lastSequence: 0 }])
  store.append(newDelivery(), newDelivery())
  for (let n = 0; n < 1000; n++) admin.liveFeed.observer.committed?.({ deliveries: 1, ms: 1 })
  await eventually(() => client.events().at(-1)?.lastSequence === 2 ? true : undefined, 'the change')
  t.ok(client.events().length <= 4, 'a thousand changes are merged into a few events')
})

t.test('the feed does nothing while it has no client, or while the store cannot be read', async t => {
  let asked = 0
  let readable = false
  const admin = await buildAdmin(t, {
    dataDir: makeStore(t).dataDir,
    feed: {
      intervalMs: 1,
      heartbeatMs: 5,
      lastSequence: async () => {
        asked++
        if (!readable) throw new Error('not now')
        return 7
      }
    }
  })
  admin.liveFeed.changed()
  t.equal(asked, 0)
  const client = await listen(t, admin.url)
  await eventually(() => client.heard.text.includes(': still here') ? true : undefined, 'a keep-alive comment')
  t.same(client.events(), [])
  readable = true
  admin.liveFeed.changed()
  await eventually(() => client.events().length > 0 ? true : undefined, 'the next change')
  t.same(client.events()[0], { lastSequence: 7 })
})

t.test('the number of clients is limited, and a client that leaves makes room', async t => {
  const admin = await buildAdmin(t, { dataDir: makeStore(t).dataDir, feed: { clientsLimit: 2 } })
  const clients = [await listen(t, admin.url), await listen(t, admin.url)]
  t.match(await admin.get('/api/events'), { status: 503, body: { code: 'LISTENERS_TOO_MANY' }, headers: { 'retry-after': '10' } })
  clients[0]?.leave()
  await eventually(async () => (await listen(t, admin.url)).response.status === 200 ? true : undefined, 'room')
})

t.test('a client that does not read is disconnected, and other clients still get changes', async t => {
  const admin = await buildAdmin(t, {
    dataDir: makeStore(t).dataDir,
    feed: { heartbeatMs: 1 },
    // Stands for a kernel that buffers nothing more for the client.
    addPage: app => { app.addHook('onRequest', async (request, reply) => { if (request.headers['x-deaf'] !== undefined) reply.raw.cork() }) }
  })
  const client = await listen(t, admin.url)
  const deaf = rawSocket(t, admin.port, 'GET /api/events HTTP/1.1\r\nhost: localhost\r\nx-deaf: 1\r\n\r\n')
  await deaf.closed
  t.match(admin.log.find('live feed client dropped: it does not read'), [{ unreadBytes: Number }])
  const { length } = client.heard.text
  await eventually(() => client.heard.text.length > length ? true : undefined, 'more')
  t.notOk(client.heard.ended)
})

t.test('closing ends the clients\' connections', async t => {
  const admin = await buildAdmin(t, { dataDir: makeStore(t).dataDir })
  const client = await listen(t, admin.url)
  await admin.close()
  await eventually(() => client.heard.ended ? true : undefined, 'the end of the stream')
  t.pass('ended')
})
