import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { fileLines } from '../../../src/forwarders/file/file-line.js'
import { isDeeperThan, replaceHalfPairs } from '../../../src/voucherify/readable-json.js'
import { oddBodies } from '../../../src/testing/odd-bodies.js'
import { sampleDelivery } from '../../support/sample-delivery.js'

const HALF = '\uD83E'
const utf8 = new TextDecoder('utf-8', { fatal: true })
const nested = (levels: number): string => `{"data":${'['.repeat(levels)}${']'.repeat(levels)},"event":{}}`

function lineOf (body: string | Buffer, rest: object = {}): Buffer {
  return fileLines([{ delivery: sampleDelivery({ rawBody: Buffer.from(body), ...rest }), number: 1, replay: false }])
}

function mended (json: string): string {
  const bytes = Buffer.from(json)
  replaceHalfPairs(bytes)
  return bytes.toString()
}

/** A parser as strict as jq 1.6: UTF-8, no half of a surrogate pair, no raw control character, at most 255 levels. */
function isReadable (t: Test, line: Buffer, what: string): void {
  const text = utf8.decode(line)
  t.equal(text.indexOf('\n'), text.length - 1, `${what}: one line`)
  const value: unknown = JSON.parse(text)
  t.notMatch(JSON.stringify(value), /(?<!\\)(?:\\\\)*\\ud[89a-f]/i, `${what}: no unpaired surrogate`)
  t.notOk(isDeeperThan(255, line), `${what}: at most 255 levels deep`)
  t.notOk(text.slice(0, -1).split('').some((character) => character < ' '), `${what}: no control character`)
}

const bodies: ReadonlyArray<readonly [what: string, body: string | Buffer, fields?: object]> = [
  ['halves of pairs', '{"data":{"a":"\\ud83e","b":"x\\uDE00y","c":"\\ude00\\ud83e","d":"\\ud83e\\ud83e\\ude00"},"event":{}}'],
  ['halves of pairs in a key', '{"data":{"\\ud83e":1},"event":{}}'],
  ['halves of pairs in the fields', '{"data":{},"event":{}}', { eventId: `ev_${HALF}`, sourceId: HALF, sourceObject: 'webhook', eventType: `custom.${HALF}` }],
  ['control characters', '{"data":{"a":"\\u0000\\u001b[2J\\n\\r\\t\\u007f"},"event":{}}', { eventId: '\0\u001B\n' }],
  ['line separators', '{"data":{"a":"\u2028\u2029\u0085"},"event":{}}', { eventId: '\u2028\u2029' }],
  ['white space between tokens', '{\r\n "data" : {\n"a"\t: 1 } , "event": {} }\n'],
  ['bytes that are no UTF-8', Buffer.concat([Buffer.from('{"data":{"a":"é'), Buffer.from([0xC3, 0xED, 0xA0, 0x80]), Buffer.from('"},"event":{}}')]), { verdict: 'invalid' }],
  ['bytes that are no JSON', Buffer.from([0x00, 0xFF, 0x0A])],
  ['250 levels', nested(250)],
  ['251 levels', nested(251)],
  ['20,000 levels', nested(20_000)],
  ['20,000 levels of objects', `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`],
  ['numbers beyond a double', '{"data":{"a":1e400,"b":-0,"c":9007199254740993},"event":{}}'],
  ['a __proto__ key', '{"data":{"__proto__":{"a":1}},"event":{}}'],
  ...oddBodies().map(({ title, attempt }) => [title, Buffer.from(attempt.delivery.rawBody), attempt.delivery] as const)
]

t.test('every line can be parsed, whatever the event', async (t) => {
  for (const verdict of ['valid', 'invalid', 'unvalidated']) {
    for (const [what, body, fields] of bodies) isReadable(t, lineOf(body, { verdict, ...fields }), `${verdict}, ${what}`)
  }
})

t.test('jq can read every line', async (t) => {
  const lines = Buffer.concat(bodies.map(([, body, fields]) => lineOf(body, fields)))
  const { error, status, stdout, stderr } = spawnSync('jq', ['-c', '.id'], { input: lines, encoding: 'utf8' })
  if (error !== undefined) return t.comment('there is no jq on this machine: skipped')
  t.equal(stderr, '')
  t.equal(status, 0)
  t.equal(stdout.trimEnd().split('\n').length, bodies.length)
})

t.test('a body with too many levels is written as bytes, and any other as it was sent', (t) => {
  t.strictSame(JSON.parse(lineOf(nested(251)).toString()).body, Buffer.from(nested(251)).toString('base64'))
  t.match(lineOf(nested(250)).toString(), `"body":${'['.repeat(250)}${']'.repeat(250)}}`)
  t.notOk(isDeeperThan(1, Buffer.from('[{"a":"[[[{{{"}]'.slice(1, -1))))
  t.notOk(isDeeperThan(1, Buffer.from('{"a\\"[[[":1,"b":"\\\\"}')))
  t.ok(isDeeperThan(1, Buffer.from('{"b":"\\\\","c":[]}')))
  t.notOk(isDeeperThan(2, Buffer.from(`[${'[],'.repeat(300)}[]]`)))
  t.end()
})

t.test('half a surrogate pair becomes U+FFFD, and nothing else changes', (t) => {
  t.equal(mended('"\\ud83e\\uDED6 \\uD83E\\udED6 \\uD83E\\uDED6 \\ud83e\\uded6"'), '"\\ud83e\\uDED6 \\uD83E\\udED6 \\uD83E\\uDED6 \\ud83e\\uded6"')
  t.equal(mended('"\\ud83e"'), '"\\ufffd"')
  t.equal(mended('"\\uDED6\\ud83e\\uded6"'), '"\\ufffd\\ud83e\\uded6"')
  t.equal(mended('"\\ud83e\\uded6\\uDED6"'), '"\\ud83e\\uded6\\ufffd"')
  t.equal(mended('"\\\\ud83e \\\\\\ud83e \\\\ud83e\\uded6"'), '"\\\\ud83e \\\\\\ufffd \\\\ud83e\\ufffd"', 'an escaped backslash does not start a surrogate escape')
  t.equal(mended('"\\ud7ff\\uD000"'), '"\\ud7ff\\uD000"')
  t.end()
})

t.test('any text with escapes keeps its meaning and is well-formed', (t) => {
  const unit = fc.oneof(fc.constantFrom('\\', '"', 'u', 'd83e', 'x', '\n', '\u2028'), fc.integer({ min: 0xD7F0, max: 0xE00F }).map((code) => String.fromCharCode(code)))
  const spelled = fc.array(fc.tuple(unit, fc.boolean()), { maxLength: 12 }).map((units) => units.map(([text, upper]) => {
    const json = JSON.stringify(text).slice(1, -1)
    // JSON.stringify escapes only halves, but a sender may escape a whole pair too.
    return text.length === 1 && text >= '\uD800' ? `\\u${upper ? text.charCodeAt(0).toString(16).toUpperCase() : text.charCodeAt(0).toString(16)}` : json
  }).join(''))
  fc.assert(fc.property(spelled, (text) => {
    const before: string = JSON.parse(`"${text}"`)
    return JSON.parse(mended(`"${text}"`)) === Buffer.from(before).toString()
  }), { numRuns: 2000 })
  t.end()
})
