import t from 'tap'
import { sign } from '../../src/voucherify/signature.js'
import { documented, documentedBytes } from '../voucherify/support/fixtures.js'
import { buildService, SECRET, signed } from '../support/build-service.js'
import { envelopeAround } from '../support/envelope-around.js'
import { rawConnection } from '../support/raw-http.js'

const LEFT = 'customer.loyalty.tier.left'
const data: unknown = JSON.parse(documentedBytes(LEFT).toString())

const service = await buildService(t, signed)

/** About fifty positions, spread over the whole text. */
function places (length: number): number[] {
  const step = Math.ceil(length / 50)
  return Array.from({ length: Math.ceil(length / step) }, (_, index) => index * step)
}

t.test('a byte flipped anywhere, in body or signature, gives 401', async t => {
  const body = Buffer.from(JSON.stringify(envelopeAround(LEFT, data)))
  const signature = sign(body, SECRET)
  const answers = await Promise.all([
    ...places(body.length).map(async (at) => {
      const flipped = Buffer.from(body)
      flipped[at] = (flipped[at] ?? 0) ^ 0x01
      return await service.post('/webhooks', flipped, { secret: null, headers: { 'x-voucherify-signature': signature } })
    }),
    ...Array.from(signature, async (digit, at) => {
      const other = digit === '0' ? '1' : '0'
      return await service.post('/webhooks', body, { headers: { 'x-voucherify-signature': `${signature.slice(0, at)}${other}${signature.slice(at + 1)}` } })
    })
  ])
  t.ok(answers.length > 100)
  t.strictSame([...new Set(answers.map(({ status, body: { code } }) => `${status} ${code}`))], ['401 SIGNATURE_WRONG'])
  t.equal((await service.post('/webhooks', body)).status, 202, 'the unchanged body is accepted')
})

t.test('a signature header that is malformed gives 401', async t => {
  const body = JSON.stringify(envelopeAround(LEFT, data, 'malformed'))
  const right = sign(Buffer.from(body), SECRET)
  const head = `POST /webhooks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`
  const malformed: Readonly<Record<string, string>> = {
    absent: '',
    empty: 'X-Voucherify-Signature:\r\n',
    blank: 'X-Voucherify-Signature:   \r\n',
    'in upper case': `X-Voucherify-Signature: ${right.toUpperCase()}\r\n`,
    repeated: `X-Voucherify-Signature: ${right}\r\nX-Voucherify-Signature: ${right}\r\n`,
    'joined with commas': `X-Voucherify-Signature: ${right},${right}\r\n`,
    'one digit short': `X-Voucherify-Signature: ${right.slice(1)}\r\n`,
    'one digit long': `X-Voucherify-Signature: ${right}0\r\n`,
    'with a scheme': `X-Voucherify-Signature: sha256=${right}\r\n`,
    'in quotes': `X-Voucherify-Signature: "${right}"\r\n`,
    'not hex': `X-Voucherify-Signature: ${'g'.repeat(64)}\r\n`,
    'in base64': `X-Voucherify-Signature: ${Buffer.from(right, 'hex').toString('base64')}\r\n`,
    'beyond ASCII': `X-Voucherify-Signature: ${'é'.repeat(64)}\r\n`,
    'ten thousand digits long': `X-Voucherify-Signature: ${right.repeat(157)}\r\n`
  }
  for (const [name, header] of Object.entries(malformed)) {
    const connection = await rawConnection(t, service.port)
    connection.write(`${head}${header}\r\n${body}`)
    const [answer] = await connection.closed()
    t.equal(answer?.status, 401, name)
    t.match(JSON.parse(answer?.body ?? ''), { code: name === 'absent' ? 'SIGNATURE_MISSING' : 'SIGNATURE_WRONG' }, name)
  }
  t.equal((await service.post('/webhooks', body)).status, 202)
})

t.test('during a rotation both secrets are accepted, and the log has the number of the one that matched', async t => {
  const service = await buildService(t, { VOUCHERIFY_WEBHOOK_SECRETS: 'new-secret,old-secret' })
  for (const [index, secret] of ['new-secret', 'old-secret'].entries()) {
    const answer = await service.post('/webhooks', envelopeAround(LEFT, data, index), { secret })
    t.equal(answer.status, 202)
    t.match(service.log.find('webhook accepted').at(-1), { deliveryId: answer.body.id, secretNumber: index + 1, canonical: false })
  }
  t.equal((await service.post('/webhooks', envelopeAround(LEFT, data), { secret: 'older-secret' })).status, 401)
  t.notMatch(JSON.stringify(service.log.lines), /(?:new|old)-secret/)
})

t.test('a body that was pretty-printed on the way is accepted, and the log says so', async t => {
  for (const [index, type] of documented.entries()) {
    const pretty = documentedBytes(type).toString()
    const signature = sign(Buffer.from(JSON.stringify(JSON.parse(pretty))), SECRET)
    const text = [pretty, pretty.replaceAll('\n', '\r\n'), pretty.replaceAll('  ', '\t'), pretty][index] ?? pretty
    const answer = await service.post(`/webhooks/${type}`, text, { headers: { 'x-voucherify-signature': signature } })
    t.match(answer, { status: 202, body: { verdict: 'valid' } })
    t.match(service.log.find('webhook accepted').at(-1), { deliveryId: answer.body.id, secretNumber: 1, canonical: true })
  }
})

t.test('a body with white space added inside a token is answered 401 and not stored', async t => {
  const body = JSON.stringify(envelopeAround(LEFT, data, 'inside of a token'))
  const headers = { 'x-voucherify-signature': sign(Buffer.from(body), SECRET) }
  t.equal((await service.post('/webhooks', body)).status, 202)
  const accepted = service.log.find('webhook accepted').length
  for (const gap of [' ', '   ', '\t', '\r\n']) {
    for (const [token, mangled] of [['null', `nu${gap}ll`], ['true', `t${gap}rue`], ['false', `fals${gap}e`], [/:(\d)(\d)/, `:$1${gap}$2`]] as const) {
      const changed = body.replace(token, mangled)
      t.not(changed, body)
      t.match(await service.post('/webhooks', changed, { headers }), { status: 401, body: { code: 'SIGNATURE_WRONG' } }, mangled)
    }
  }
  t.equal(service.log.find('webhook accepted').length, accepted)
})

t.test('without a secret no webhook is proven, whatever its signature header', async t => {
  const service = await buildService(t)
  const answer = await service.post('/webhooks', envelopeAround(LEFT, data), { headers: { 'x-voucherify-signature': 'nonsense' } })
  t.equal(answer.status, 202)
  t.notOk('secretNumber' in (service.log.find('webhook accepted')[0] ?? {}))
})

t.test('a body is parsed only after its signature was found right', async t => {
  const parse = JSON.parse
  let parsed = 0
  t.teardown(() => { JSON.parse = parse })
  JSON.parse = (text, reviver) => {
    if (text.includes('marked-for-the-parser')) parsed++
    return parse(text, reviver) as unknown
  }
  const body = JSON.stringify(envelopeAround(LEFT, { ...Object(data), marked: 'marked-for-the-parser' }, 'parsed'), null, 1)
  const headers = { 'x-voucherify-signature': 'a'.repeat(64) }
  for (const path of ['/webhooks', `/webhooks/${LEFT}`, '/webhooks/custom/made-up']) {
    for (const more of [{ headers, secret: null }, { secret: null }, { secret: 'another' }]) t.ok((await service.post(path, body, more)).status >= 400)
  }
  t.equal(parsed, 0)
  t.equal((await service.post('/webhooks', body)).status, 202)
  t.ok(parsed > 0, 'a body with a right signature is parsed')
})
