import { createServer as createHttpServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import t from 'tap'
import type { Address, Found, LookUp } from '../../../../src/forwarders/http/names/look-up.js'
import { latch } from '../../../support/latch.js'
import { attempt, attemptAt, forwarderTo } from '../support/forwarder.js'
import { httpDestination, listen, selfSigned } from '../support/servers.js'

const here: Address = { address: '127.0.0.1', family: 4 }

function found (...addresses: Address[]): Found {
  return { addresses, freshMs: 0 }
}

const hangs: LookUp = async () => await new Promise<never>(() => {})

t.test('a name with a dead address is reached at its other address, whichever comes first, and that one is tried first from then on', async (t) => {
  // No host answers at these addresses. Some networks say so at once, others never.
  const dead: readonly Address[] = [{ address: '203.0.113.1', family: 4 }, { address: 'fd00::dead', family: 6 }]
  for (const each of dead) {
    for (const addresses of [[each, here], [here, each]]) {
      const destination = await httpDestination(t, (_request, response) => { response.writeHead(200, { connection: 'close' }).end() })
      const forwarder = forwarderTo(t, `http://two.example:${destination.port}/`, { timeoutMs: 8000, lookUp: async () => found(...addresses) })
      t.match(await attempt(forwarder), { status: 'forwarded' }, addresses.map(({ address }) => address).join())
      if (each.family === 6) {
        const before = performance.now()
        t.match(await attempt(forwarder), { status: 'forwarded' })
        t.ok(performance.now() - before < 900, 'the next attempt skips the address family that failed')
      }
    }
  }
})

t.test('with TLS too, a dead address is skipped for the next one', async (t) => {
  const destination = await listen(t, createTlsServer(selfSigned(t.testdir())))
  const forwarder = forwarderTo(t, `https://two.example:${destination.port}/`, { timeoutMs: 8000, lookUp: async () => found({ address: '203.0.113.1', family: 4 }, here) })
  // The certificate error shows that the address was reached.
  t.match(await attempt(forwarder), { status: 'retry', reason: /self-signed certificate/ })
  t.equal(destination.sockets.total, 1)
})

t.test('a name that no longer resolves: open connections continue, and new ones fail until the name is back', async (t) => {
  let gone = false
  const destination = await httpDestination(t, (request, response) => {
    response.writeHead(200, request.headers['tierhook-attempt'] === '2' ? { connection: 'close' } : {}).end()
  })
  const lookUp: LookUp = async (name) => {
    if (gone) throw Object.assign(new Error(`There is no address for ${name} (ENOTFOUND)`), { code: 'ENOTFOUND' })
    return found(here)
  }
  const forwarder = forwarderTo(t, `http://crm.example:${destination.port}/`, { lookUp, concurrency: 1 })
  t.match(await attempt(forwarder), { status: 'forwarded' })
  gone = true
  for (let count = 0; count < 3; count++) t.match(await attempt(forwarder), { status: 'forwarded' })
  t.equal(destination.sockets.total, 1)
  t.match(await attempt(forwarder, attemptAt({}, { number: 2 })), { status: 'forwarded' }, 'the destination closes the connection after this attempt')
  t.strictSame(await attempt(forwarder), { status: 'retry', reason: 'There is no address for crm.example (ENOTFOUND)' })
  gone = false
  t.match(await attempt(forwarder), { status: 'forwarded' })
})

t.test('sixteen attempts at a name that hangs make one look-up, and report it as the cause', async (t) => {
  const asked: string[] = []
  const forwarder = forwarderTo(t, 'http://hangs.example/', {
    concurrency: 16,
    timeoutMs: 2000,
    async lookUp (name, signal) {
      asked.push(name)
      return await hangs(name, signal)
    }
  })
  const outcomes = await Promise.all(Array.from({ length: 16 }, async () => await attempt(forwarder)))
  t.strictSame([...new Set(outcomes.map((outcome) => JSON.stringify(outcome)))], [JSON.stringify({ status: 'retry', reason: 'hangs.example could not be looked up within 900 ms' })])
  t.equal(asked.length, 1)
})

t.test('closing does not wait for a look-up', async (t) => {
  const begun = latch()
  const forwarder = forwarderTo(t, 'http://hangs.example/', {
    async lookUp (name, signal) {
      begun.open()
      return await hangs(name, signal)
    }
  })
  const outcome = attempt(forwarder)
  await begun.opened
  const before = performance.now()
  await forwarder.close?.()
  t.match(await outcome, { status: 'retry' })
  t.ok(performance.now() - before < 1000)
})

t.test('the name of a proxy is looked up in the same way, and the proxy looks up the name of the destination', async (t) => {
  const asked: string[] = []
  const proxy = await listen(t, createHttpServer((request, response) => { request.resume().on('end', () => { response.end(request.url) }) }))
  const forwarder = forwarderTo(t, 'http://crm.example/', {
    environment: { HTTP_PROXY: `http://proxy.example:${proxy.port}` },
    async lookUp (name) {
      asked.push(name)
      return found(here)
    }
  })
  t.match(await attempt(forwarder), { status: 'forwarded', answer: 'http://crm.example/' })
  t.strictSame(asked, ['proxy.example'])
})
