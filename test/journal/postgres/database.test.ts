import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import t from 'tap'
import { openDatabase } from '../../../src/journal/postgres/database.js'

const AUTHENTICATION_OK = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0])
const READY = Buffer.from([0x5a, 0, 0, 0, 5, 0x49])

/** The server's message when it is shut down. */
function farewell (): Buffer {
  const fields = Buffer.from('SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0')
  const head = Buffer.from([0x45, 0, 0, 0, 0])
  head.writeUInt32BE(4 + fields.byteLength, 1)
  return Buffer.concat([head, fields])
}

t.test('a server that ends just when a connection to it is ready fails the statement, and nothing else', async (t) => {
  // A real server cannot be made to do this: its first and its last message in one packet.
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => { socket.end(Buffer.concat([AUTHENTICATION_OK, READY, farewell()])) })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.close() })
  const database = openDatabase({ url: `postgres://tierhook@127.0.0.1:${(server.address() as AddressInfo).port}/x`, schema: 'x', connections: 1 })
  t.teardown(database.close)
  await t.rejects(database.query('SELECT 1'), { name: 'DatabaseError', code: 'DATABASE_UNREACHABLE' })
})
