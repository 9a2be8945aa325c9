import t from 'tap'
import { loadSettings } from '../../src/config/load-settings.js'
import { sampleEnvelope } from '../../src/voucherify/samples.js'
import { createSourceFilter } from '../../src/voucherify/source-addresses.js'
import { buildApp } from '../support/build-app.js'
import { buildService, signed } from '../support/build-service.js'

const now = new Date()
const sample = (index: number) => sampleEnvelope('campaign.loyalty_tier.updated', { index, now })

t.test('every required header must be present, with its value', async t => {
  const service = await buildService(t, { ...signed, REQUIRED_HEADERS: 'X-Tenant: tea shop, Authorization: Bearer t0ken' })
  const right = { 'x-tenant': 'tea shop', authorization: 'Bearer t0ken' }
  t.equal((await service.post('/webhooks', sample(0), { headers: right })).status, 202)

  const wrong: ReadonlyArray<Record<string, string>> = [
    {}, { 'x-tenant': 'tea shop' }, { authorization: 'Bearer t0ken' }, { ...right, 'x-tenant': '' }, { ...right, 'x-tenant': 'Tea shop' },
    { ...right, authorization: 'Bearer t0ke' }, { ...right, authorization: 'Bearer t0ken, Bearer t0ken' }
  ]
  for (const headers of wrong) {
    const answer = await service.post('/webhooks', sample(0), { headers })
    t.match(answer, { status: 401, body: { code: 'HEADER_WRONG' } }, JSON.stringify(headers))
    t.notMatch(answer.text, /tea shop|t0ke/)
  }
  t.notMatch(JSON.stringify(service.log.lines), /tea shop|t0ke/, 'no log line holds the header values')
})

t.test('a required header does not replace the signature', async t => {
  const service = await buildService(t, { ...signed, REQUIRED_HEADERS: 'X-Tenant: tea' })
  t.equal((await service.post('/webhooks', sample(0), { headers: { 'x-tenant': 'tea' }, secret: null })).status, 401)
})

t.test('ALLOWED_SOURCES in monitor mode, the default, accepts and warns', async t => {
  const service = await buildService(t, { ...signed, ALLOWED_SOURCES: 'eu1' })
  t.equal((await service.post('/webhooks', sample(0))).status, 202)
  t.match(service.log.find('webhook from an address that is not allowed'), [{ level: 40, sourceAddress: '127.0.0.1' }])
})

t.test('ALLOWED_SOURCES in enforce mode refuses addresses that are not on the list, and health checks never', async t => {
  const refusing = await buildService(t, { ...signed, ALLOWED_SOURCES: 'eu1,us1,10.0.0.0/8', ALLOWED_SOURCES_MODE: 'enforce', REQUIRED_HEADERS: 'x-a: b' })
  t.match(await refusing.post('/webhooks', sample(0)), { status: 403, body: { code: 'SOURCE_NOT_ALLOWED' } })
  t.equal((await refusing.get('/health/live')).status, 200)
  const taking = await buildService(t, { ...signed, ALLOWED_SOURCES: '127.0.0.0/8', ALLOWED_SOURCES_MODE: 'enforce' })
  t.equal((await taking.post('/webhooks', sample(0))).status, 202)
  t.strictSame(taking.log.find('webhook from an address that is not allowed'), [])
})

t.test('X-Forwarded-For is trusted only from the proxies in TRUST_PROXY', async t => {
  const sender = '34.247.197.22'
  const cases: ReadonlyArray<readonly [trustProxy: string, forwardedFor: string, status: number]> = [
    ['false', sender, 403],
    ['10.1.2.3', sender, 403],
    ['loopback', sender, 202],
    ['127.0.0.1,10.0.0.0/8', `${sender}, 10.1.2.3`, 202],
    ['loopback', `${sender}, 203.0.113.9`, 403],
    ['loopback', `203.0.113.9, ${sender}`, 202],
    ['loopback', `${sender}:51234`, 202],
    ['127.0.0.1,10.0.0.0/8', `${sender}:51234, 10.1.2.3:443`, 202],
    ['loopback,uniquelocal', `${sender}, [fd00::1]:443, 192.168.0.1, ::ffff:172.16.0.1`, 202],
    ['loopback,linklocal', `${sender}, 169.254.0.1, fe80::1%eth0`, 202],
    ['loopback,linklocal', `${sender}, 192.168.0.1`, 403],
    ['loopback', 'nonsense', 403],
    ['loopback', '', 403],
    ['true', sender, 202]
  ]
  const sourceFilter = { allows: createSourceFilter(['eu1']), mode: 'enforce' } as const
  for (const [trustProxy, forwardedFor, status] of cases) {
    const settings = loadSettings({ environment: { TRUST_PROXY: trustProxy } })
    const app = await buildApp(t, { trustProxy: settings.TRUST_PROXY, sourceFilter })
    const answer = await app.post('/webhooks', sample(0), { headers: { 'x-forwarded-for': forwardedFor } })
    t.equal(answer.status, status, `TRUST_PROXY=${trustProxy}, X-Forwarded-For: ${forwardedFor}`)
  }
  const service = await buildService(t, { ...signed, TRUST_PROXY: 'loopback', ALLOWED_SOURCES: 'eu1', ALLOWED_SOURCES_MODE: 'enforce' })
  t.equal((await service.post('/webhooks', sample(0), { headers: { 'x-forwarded-for': sender } })).status, 202, 'a whole service uses the forwarded address too')
})

t.test('every log line about an accepted webhook has its source address, also behind a trusted proxy', async t => {
  const sender = '34.247.197.22'
  const headers = { 'x-forwarded-for': sender }
  const broken = (index: number) => ({ ...sample(index), data: { nothing: 'of what must be there' } })
  const old = { id: 'evnt_1', object: 'event', webhook_id: 'wh_1', project_id: 'proj_1', created_at: now.toISOString(), type: 'campaign.loyalty_tier.updated', data: {} }
  for (const [TRUST_PROXY, sourceAddress] of [['loopback', sender], ['false', '127.0.0.1']] as const) {
    const holding = await buildService(t, { ...signed, TRUST_PROXY })
    const statuses: number[] = []
    for (const body of [broken(0), broken(0), old]) statuses.push((await holding.post('/webhooks/campaign.loyalty_tier.created', body, { headers })).status)
    t.strictSame(statuses, [202, 200, 202], 'the second event is a duplicate')
    const passing = await buildService(t, { ...signed, TRUST_PROXY, INVALID_EVENTS: 'forward' })
    t.equal((await passing.post('/webhooks', broken(1), { headers })).status, 202)

    const lines = [...holding.log.lines, ...passing.log.lines].filter(({ msg }) => msg.startsWith('webhook '))
    t.strictSame([...new Set(lines.map(({ msg }) => msg))].sort(), [
      'webhook accepted', 'webhook contradicts its url', 'webhook invalid', 'webhook quarantined', 'webhook version too old'
    ])
    for (const line of lines) t.match(line, { sourceAddress }, `TRUST_PROXY=${TRUST_PROXY}: ${line.msg}`)
  }
})

t.test('a body without a content encoding, or with identity, is accepted', async t => {
  const service = await buildService(t)
  t.equal((await service.post('/webhooks', sample(0), { headers: { 'content-encoding': 'Identity' } })).status, 202)
  const answer = await service.post('/webhooks', sample(1), { headers: { 'content-encoding': 'br' } })
  t.match(answer, { status: 415, headers: { 'accept-encoding': 'identity' } })
})
