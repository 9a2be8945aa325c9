import fc from 'fast-check'
import t from 'tap'
import { sign, verifySignature } from '../../src/voucherify/signature.js'
import { documented, documentedBytes } from './support/fixtures.js'
import { jsonText, spaced } from './support/json-text.js'

const secret = 'secretKey'
const vectors = [
  { body: '{"a":1}', canonical: false, signature: 'a17d2ac229d1ebbb5f10e839c7985c4818e5986eab297f7e5979196d4d7d3ed2' },
  { body: '{\n  "a": 1\n}', canonical: true, signature: 'a17d2ac229d1ebbb5f10e839c7985c4818e5986eab297f7e5979196d4d7d3ed2' },
  { body: '{"a\\"b":1}', canonical: false, signature: 'f7cf97814a03146abedb9793f56e1dec34f618f82d10395310d053f749483ffb' },
  { body: '  message  ', canonical: false, signature: '53ff92957e1427ce23ad5bda9d0c5f2f4ff384d0806b83eeacb510c842d3a358' }
]

const verify = (rawBody: Uint8Array, header: string | string[] | undefined, secrets: readonly string[] = [secret]) =>
  verifySignature({ rawBody, header, secrets })

t.test('the published vectors verify', t => {
  for (const { body, canonical, signature } of vectors) {
    t.strictSame(verify(Buffer.from(body), signature), { ok: true, secretNumber: 1, canonical })
    if (!canonical) t.equal(sign(Buffer.from(body), secret), signature)
  }
  t.end()
})

t.test('a documented body verifies as received, pretty-printed, with CRLF and with tabs', t => {
  for (const type of documented) {
    const pretty = documentedBytes(type).toString()
    const compact = JSON.stringify(JSON.parse(pretty))
    const signature = sign(Buffer.from(compact), secret)
    t.strictSame(verify(Buffer.from(compact), signature), { ok: true, secretNumber: 1, canonical: false })
    for (const text of [pretty, pretty.replaceAll('\n', '\r\n'), pretty.replaceAll('  ', '\t')]) {
      t.strictSame(verify(Buffer.from(text), signature), { ok: true, secretNumber: 1, canonical: true })
    }
  }
  t.end()
})

t.test('values that serialising again would change stay: numbers, escapes, repeated and integer-like keys', t => {
  const compact = '{"n":[1.0,1e2,-0,9007199254740993],"s":["\\u00e9","\\/","\\ud83d\\ude00","\\\\"," \\\\\\" "],"2":1,"1":2,"1":3}'
  const pretty = '{ "n": [1.0, 1e2, -0, 9007199254740993],\t"s":["\\u00e9","\\/","\\ud83d\\ude00","\\\\"," \\\\\\" "],\r\n"2":1,"1":2,"1":3}\n'
  const signature = sign(Buffer.from(compact), secret)
  t.strictSame(verify(Buffer.from(pretty), signature), { ok: true, secretNumber: 1, canonical: true })
  const parsed = Buffer.from(JSON.stringify(JSON.parse(compact)))
  t.strictSame(verify(parsed, signature), { ok: false, reason: 'mismatch' })
  t.end()
})

t.test('a pretty-printed body that was signed as such verifies as received', t => {
  const body = Buffer.from('{ "a": 1 }')
  t.strictSame(verify(body, sign(body, secret)), { ok: true, secretNumber: 1, canonical: false })
  t.end()
})

t.test('white space inside a token makes the signature wrong, because such bytes are not JSON and were never signed', t => {
  for (const [compact, mangled] of [
    ['{"a":null}', '{"a":nu   ll}'], ['{"a":12}', '{"a":1 2}'], ['[true,-1.5e3]', '[true,-1.5 e3]'], ['[""]', '[" "]'], ['12', '1 2']
  ] as const) {
    t.strictSame(verify(Buffer.from(mangled), sign(Buffer.from(compact), secret)), { ok: false, reason: 'mismatch' }, mangled)
  }
  t.end()
})

t.test('a body that is not JSON matches only by its exact bytes, because white space in a plain string is part of it', t => {
  for (const body of ['message', '  message  ', '{"a":1', 'a:b,c']) {
    const signature = sign(Buffer.from(body), secret)
    t.strictSame(verify(Buffer.from(body), signature), { ok: true, secretNumber: 1, canonical: false }, body)
    for (const changed of [` ${body}`, `${body}\n`, body.trim() === body ? `${body}  ` : body.trim()]) {
      t.strictSame(verify(Buffer.from(changed), signature), { ok: false, reason: 'mismatch' }, changed)
    }
  }
  const latin1 = Buffer.from('{"a":"é"}', 'latin1')
  t.strictSame(verify(Buffer.concat([latin1, Buffer.from(' ')]), sign(latin1, secret)), { ok: false, reason: 'mismatch' }, 'a body that is not UTF-8 keeps its bytes')
  t.end()
})

t.test('white space put anywhere into a compact body matches exactly if the body is still the same JSON', t => {
  fc.assert(fc.property(jsonText(), fc.nat(), fc.constantFrom(' ', '\t', '\n', '\r', '  '), (text, place, gap) => {
    const at = place % (text.length + 1)
    const changed = `${text.slice(0, at)}${gap}${text.slice(at)}`
    const inString = [...text.matchAll(/"(?:[^"\\]|\\.)*"/gs)].some(({ 0: string, index }) => at > index && at < index + string.length)
    return verify(Buffer.from(changed), sign(Buffer.from(text), secret)).ok === (!inString && isJson(changed))
  }), { numRuns: 1000 })
  t.end()
})

function isJson (text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    // This text is not JSON.
    return false
  }
}

t.test('white space in a string belongs to the body', t => {
  const signature = sign(Buffer.from('{"a":"b c"}'), secret)
  t.strictSame(verify(Buffer.from('{"a":"bc"}'), signature), { ok: false, reason: 'mismatch' })
  t.strictSame(verify(Buffer.from('{"a": "b  c"}'), signature), { ok: false, reason: 'mismatch' })
  t.end()
})

t.test('old and new secret are accepted together, and the number shows which one matched', t => {
  const body = Buffer.from('{"a":1}')
  const secrets = ['new', 'old', 'old']
  t.strictSame(verify(body, sign(body, 'new'), secrets), { ok: true, secretNumber: 1, canonical: false })
  t.strictSame(verify(body, sign(body, 'old'), secrets), { ok: true, secretNumber: 2, canonical: false })
  t.strictSame(verify(Buffer.from('{"a": 1}'), sign(body, 'old'), secrets), { ok: true, secretNumber: 2, canonical: true })
  t.strictSame(verify(body, sign(body, 'older'), secrets), { ok: false, reason: 'mismatch' })
  t.strictSame(verify(body, sign(body, 'new'), []), { ok: false, reason: 'mismatch' })
  t.end()
})

t.test('malformed signature headers are told apart from wrong signatures', t => {
  const body = Buffer.from('{"a":1}')
  const right = sign(body, secret)
  t.strictSame(verify(body, undefined), { ok: false, reason: 'missing' })
  t.strictSame(verify(body, []), { ok: false, reason: 'missing' })
  const malformed = [
    '', ' ', right.toUpperCase(), `${right},${right}`, `${right}, ${right}`, right.slice(1), `${right}0`, ` ${right}`, `${right}\n`,
    `sha256=${right}`, 'g'.repeat(64), 'é'.repeat(64), '\0'.repeat(64), Buffer.from(right, 'hex').toString('base64'), 'a'.repeat(100_000)
  ]
  for (const header of malformed) t.strictSame(verify(body, header), { ok: false, reason: 'malformed' }, JSON.stringify(header.slice(0, 80)))
  t.strictSame(verify(body, [right, right]), { ok: false, reason: 'malformed' }, 'a repeated header is malformed')
  t.strictSame(verify(body, [right]), { ok: true, secretNumber: 1, canonical: false }, 'a list with one header is accepted')
  t.strictSame(verify(body, '0'.repeat(64)), { ok: false, reason: 'mismatch' })
  t.end()
})

t.test('an empty secret verifies nothing, because any sender could sign with it', t => {
  const body = Buffer.from('{}')
  t.throws(() => sign(body, ''), new TypeError('The secret is empty'))
  t.throws(() => verify(body, '0'.repeat(64), [secret, '']), new TypeError('The secret is empty'))
  t.end()
})

t.test('white space added outside of strings never changes the verdict', t => {
  fc.assert(fc.property(jsonText(), fc.infiniteStream(fc.constantFrom('', '', ' ', '\t', '\r\n', '\n  ')), fc.boolean(), (text, gaps, right) => {
    const signature = sign(Buffer.from(text), right ? secret : 'other')
    return verify(Buffer.from(spaced(text, gaps)), signature).ok === right
  }))
  t.end()
})

t.test('any other flipped byte makes the signature wrong', t => {
  const whiteSpace = new Set([0x20, 0x09, 0x0a, 0x0d])
  fc.assert(fc.property(
    jsonText(), fc.infiniteStream(fc.constantFrom('', ' ', '\n')), fc.nat(), fc.integer({ min: 1, max: 255 }),
    (text, gaps, place, bits) => {
      const signature = sign(Buffer.from(text), secret)
      const body = Buffer.from(spaced(text, gaps))
      const at = place % body.length
      const byte = body[at] ?? 0
      fc.pre(!whiteSpace.has(byte))
      body[at] = byte ^ bits
      return !verify(body, signature).ok
    }
  ))
  t.end()
})

t.test('an extra character, a missing one, and white space in a string make the signature wrong', t => {
  const gap = fc.infiniteStream(fc.constantFrom('', ' ', '\t\n'))
  fc.assert(fc.property(jsonText(), gap, fc.nat(), fc.constantFrom('more', 'less', 'blank'), fc.constantFrom('"', '\\', '0', ',', '}', 'é', '\0'), (text, gaps, place, change, added) => {
    const signature = sign(Buffer.from(text), secret)
    const body = spaced(text, gaps)
    // Every string begins after its quotation mark, where a space belongs to it.
    const starts = change === 'blank' ? [...body.matchAll(/"(?:[^"\\]|\\.)*"/gs)].map(({ index }) => index + 1) : [...body.matchAll(/\S/g)].map(({ index }) => index)
    fc.pre(starts.length > 0)
    const at = starts[place % starts.length] ?? 0
    const changed = `${body.slice(0, at)}${change === 'more' ? added : change === 'blank' ? ' ' : ''}${body.slice(change === 'less' ? at + 1 : at)}`
    return !verify(Buffer.from(changed), signature).ok
  }))
  t.end()
})
