import { connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { addressGroup } from '../../src/http/address-group.js'
import { buildApp, type BuiltApp } from '../support/build-app.js'
import { envelopeAround } from '../support/envelope-around.js'
import { eventuallyTrue } from '../support/eventually.js'
import { latch } from '../support/latch.js'

interface Client {
  readonly socket: Socket
  readonly text: () => string
  readonly isClosed: () => boolean
}

async function open (t: Test, port: number, localAddress = '127.0.0.1'): Promise<Client> {
  const socket = connect({ port, host: '127.0.0.1', localAddress })
  t.teardown(() => { socket.destroy() })
  let text = ''
  let closed = false
  socket.on('data', (chunk) => { text += chunk.toString() })
  socket.on('error', () => { /* Seen as the close that follows. */ })
  socket.on('close', () => { closed = true })
  await new Promise<void>((resolve) => { socket.once('connect', resolve) })
  return { socket, text: () => text, isClosed: () => closed }
}

/** Opens connections, and waits until the service has seen each one. */
async function openIdle (t: Test, app: BuiltApp, count: number, localAddress?: string): Promise<Client[]> {
  const clients: Client[] = []
  for (let index = 0; index < count; index++) {
    const client = await open(t, app.port, localAddress)
    client.socket.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n')
    await eventuallyTrue(() => client.text().includes('live'), 'an answer')
    clients.push(client)
  }
  return clients
}

function webhook (id: string): string {
  const body = JSON.stringify(envelopeAround('some.event', {}, id))
  return `POST /webhooks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
}

t.test('an address that opens many connections loses its own, idle ones first, and shuts no other address out', async (t) => {
  const app = await buildApp(t, { connections: { open: 6, requests: 1000, unanswered: 50 } })
  const [genuine] = await openIdle(t, app, 1, '127.0.0.2')
  const crowd = await openIdle(t, app, 20)
  await eventuallyTrue(() => crowd.filter(({ isClosed }) => isClosed()).length === 15, 'all but five to be closed')
  t.strictSame(crowd.slice(-5).map(({ isClosed }) => isClosed()), Array(5).fill(false), 'the newest connections stay open')
  t.notOk(genuine?.isClosed())
  const [late] = await openIdle(t, app, 1, '127.0.0.3')
  t.notOk(late?.isClosed(), 'another address can still connect')
  genuine?.socket.write(webhook('genuine'))
  await eventuallyTrue(() => genuine?.text().includes('202') === true, 'the webhook of the other address to be accepted')
  t.match(app.log.find('connection closed to make room for another')[0], { level: 40, sourceAddress: '127.0.0.1' })
})

t.test('a connection whose webhook is being stored is never closed for another: a stalled one is, or else the newest', async (t) => {
  const stored = latch()
  let asked = 0
  const app = await buildApp(t, {
    connections: { open: 3, requests: 1000, unanswered: 50 },
    append: async ({ id, verdict }) => {
      asked++
      await stored.opened
      return { status: 'stored', id, verdict }
    }
  })
  const storing = await open(t, app.port)
  storing.socket.write(webhook('first'))
  await eventuallyTrue(() => asked === 1, 'the first webhook to reach the store')
  const stalled = await open(t, app.port)
  stalled.socket.write(webhook('stalled').slice(0, -5))
  const second = await open(t, app.port)
  second.socket.write(webhook('second'))
  await eventuallyTrue(() => asked === 2, 'the second webhook to reach the store')
  const third = await open(t, app.port)
  await eventuallyTrue(() => stalled.isClosed(), 'the stalled connection to be closed')
  third.socket.write(webhook('third'))
  await eventuallyTrue(() => asked === 3, 'the third webhook to reach the store')
  const tooMany = await open(t, app.port)
  await eventuallyTrue(() => tooMany.isClosed(), 'the newest connection to be closed')
  stored.open()
  for (const { text } of [storing, second, third]) await eventuallyTrue(() => text().includes('202'), 'an answer')
})

t.test('an IPv4 address is a group of its own, and an IPv6 network is one group', async (t) => {
  const groups: Readonly<Record<string, string>> = {
    '192.0.2.1': '192.0.2.1',
    '::ffff:192.0.2.1': '192.0.2.1',
    '192.0.2.1:51234': '192.0.2.1',
    '[2001:db8:0:1::5]:51234': '2001:db8:0:1::/64',
    '::1': '0:0:0:0::/64',
    '2001:DB8:0:1::5': '2001:db8:0:1::/64',
    '2001:db8:0000:0001:a:b:c:d': '2001:db8:0:1::/64',
    'fe80::1%eth0': 'fe80:0:0:0::/64',
    '2001:db8::': '2001:db8:0:0::/64'
  }
  for (const [address, group] of Object.entries(groups)) t.equal(addressGroup(address), group, address)
  t.equal(addressGroup(undefined), 'unknown')
})
