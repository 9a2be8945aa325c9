import { lookup } from 'node:dns/promises'
import { hostname } from 'node:os'
import t from 'tap'
import { sampleEnvelope } from '../../src/voucherify/samples.js'
import { buildService, signed } from '../support/build-service.js'
import { rawConnection } from '../support/raw-http.js'

const now = new Date()
const sample = (index: number) => sampleEnvelope('campaign.loyalty_tier.updated', { index, now })
const REFUSED = { status: 403, body: { code: 'ORIGIN_NOT_ALLOWED' } }

t.test('a page in a browser cannot post an event to a service without a secret by DNS rebinding', async (t) => {
  const service = await buildService(t, { HOST: 'localhost', PUBLIC_URL: 'https://Hooks.example.com:8443/voucherify' })
  for (const [index, host] of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', 'user@localhost', 'localhost:x', 'hooks.example.com.evil.example'].entries()) {
    const answer = await service.post('/webhooks', sample(index), { headers: { host } })
    t.match(answer, REFUSED, host)
    t.match(answer.body, { detail: /VOUCHERIFY_WEBHOOK_SECRETS.*PUBLIC_URL/ }, 'the answer names the settings to set')
  }
  const nobody = await rawConnection(t, service.port)
  nobody.write('POST /webhooks HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}')
  t.match(await nobody.closed(), [{ status: 403 }], 'a request without a Host header is refused')
  for (const [index, host] of [`127.0.0.1:${service.port}`, '127.9.9.9', '10.0.0.1:3000', '[2001:db8::1]', 'LOCALHOST:3000', 'hooks.example.com', 'hooks.example.com:443'].entries()) {
    t.equal((await service.post('/webhooks', sample(index), { headers: { host } })).status, 202, host)
  }
})

t.test('a page of another site cannot post an event to a service without a secret', async (t) => {
  const service = await buildService(t)
  for (const origin of ['https://evil.example', 'null', '', `http://127.0.0.1:${service.port + 1}`, 'http://localhost']) {
    t.match(await service.post('/webhooks', sample(0), { headers: { origin } }), REFUSED, origin)
  }
  t.match(service.log.find('webhook refused')[0], { level: 40, code: 'ORIGIN_NOT_ALLOWED', status: 403 })
  t.strictSame(service.forwarded.lines, [])
  const preflight = await service.post('/webhooks', '', { method: 'OPTIONS', headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' } })
  t.equal(preflight.headers['access-control-allow-origin'], undefined)
  t.equal((await service.post('/webhooks', sample(0), { headers: { origin: service.url } })).status, 202, 'the service\'s own origin is accepted')
})

const name = hostname()
const isMine = await lookup(name).then(() => true, () => false)
t.test('the name in HOST is the service\'s own, in any case', { skip: isMine ? false : 'this machine\'s name has no address' }, async (t) => {
  const service = await buildService(t, { HOST: name, ALLOW_UNSIGNED: 'true' })
  t.equal((await service.post('/webhooks', sample(0), { headers: { host: name.toUpperCase() } })).status, 202)
  t.match(await service.post('/webhooks', sample(1), { headers: { host: 'evil.example' } }), REFUSED, 'another host name is refused, although other machines can reach the address')
})

t.test('if a secret is set, Host and Origin are not checked, because the signature proves more', async (t) => {
  const service = await buildService(t, signed)
  t.equal((await service.post('/webhooks', sample(0), { headers: { host: 'tierhook.internal', origin: 'https://evil.example' } })).status, 202)
})

t.test('health checks may use any host name', async (t) => {
  const service = await buildService(t)
  const probe = await rawConnection(t, service.port)
  probe.write('GET /health/ready HTTP/1.1\r\nHost: probe.internal\r\nConnection: close\r\n\r\n')
  t.match(await probe.closed(), [{ status: 200 }])
})
