import { eventBody } from '../service-process.js'
import { CANARY } from './canaries.js'
import type { Random } from './random.js'

/** A body, and the bytes that Voucherify would have signed for it. */
export interface AbusiveBody {
  readonly bytes: Buffer
  readonly signed: Buffer
}

type Change = (text: string, random: Random) => string | Buffer

function withData (text: string, member: string): string {
  return text.replace('"data":{', () => `"data":{${member},`)
}

function flipped (text: string, random: Random): Buffer {
  const bytes = Buffer.from(text)
  const at = random.below(bytes.length)
  bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8))
  return bytes
}

/** Changes to a valid event. The result is signed, so it is authentic whatever its shape. */
const changes: Readonly<Record<string, Change>> = {
  none: (text) => text,
  'unknown key': (text) => withData(text, `"note":"${CANARY}"`),
  'wrong type': (text) => text.replace('"campaign":null', '"campaign":[1]'),
  'missing key': (text) => text.replace('"campaign":null,', ''),
  'unknown event': (text) => text.replace('tier.upgraded', 'tier.invented'),
  'no envelope': (text) => text.slice(text.indexOf('"data":') + 7, -1),
  'duplicate key': (text) => withData(text, '"customer":null,"a":1,"a":2'),
  '__proto__ key': (text) => withData(text, `"__proto__":{"admin":"${CANARY}"}`),
  'constructor key': (text) => withData(text, '"constructor":{"prototype":{"admin":true}}'),
  'deep nesting': (text, random) => {
    const levels = 1 + random.below(random.chance(0.02) ? 10_000 : 300)
    return withData(text, `"deep":${'['.repeat(levels)}${']'.repeat(levels)}`)
  },
  'open brackets': (_text, random) => '['.repeat(1 + random.below(2000)),
  'huge numbers': (text, random) => withData(text, `"n":[1e999,-1e-999,${'9'.repeat(1 + random.below(400))},-0]`),
  'byte order mark': (text) => `\uFEFF${text}`,
  'NUL bytes': (text, random) => `${text.slice(0, random.below(text.length))}\0\0`,
  'escaped NUL': (text) => withData(text, `"\\u0000":"${CANARY}\\u0000"`),
  'half a surrogate pair': (text) => withData(text, `"a":"${CANARY}\\ud83d"`),
  'invalid UTF-8': (text, random) => Buffer.concat([Buffer.from(text.slice(0, random.below(text.length))), Buffer.from([0xC3, 0x28, 0xED, 0xA0, 0x80]), Buffer.from(CANARY)]),
  'UTF-16': (text) => Buffer.from(text, 'utf16le'),
  'a flipped bit': flipped,
  'half of it': (text, random) => text.slice(0, random.below(text.length)),
  twice: (text) => text + text,
  nothing: () => '',
  'random bytes': (_text, random) => random.bytes(random.below(200)),
  'a string': () => `"${CANARY}"`,
  'an array': () => `["${CANARY}"]`,
  'a request': () => `POST /webhooks HTTP/1.1\r\nHost: ${CANARY}\r\n\r\n`,
  'long strings': (text, random) => withData(text, `"long":"${CANARY.repeat(random.below(300))}"`),
  'odd ids': (text) => text.replace('"id":"distr_1"', '"id":{"$gt":""}')
}

const names = Object.entries(changes)
/** In characters. A deeply nested body would become huge. */
const PRINTABLE = 5000

/** Makes a body from a valid event by up to two changes. */
export function abusiveBody (random: Random, eventId: string): AbusiveBody {
  let body: string | Buffer = eventBody(eventId)
  for (let count = random.below(3); count > 0; count--) {
    if (typeof body === 'string') body = names[random.below(names.length)]?.[1](body, random) ?? body
  }
  if (typeof body === 'string' && random.chance(0.1)) return prettyPrinted(body)
  const bytes = Buffer.from(body)
  return { bytes, signed: bytes }
}

/** Simulates an intermediary that has added white space. The signature is that of the compact text. */
function prettyPrinted (text: string): AbusiveBody {
  const signed = Buffer.from(text)
  try {
    const value: unknown = JSON.parse(text)
    // Only a text that is written as it was read differs from its source by white space alone.
    const printed = JSON.stringify(value, null, 3)
    return JSON.stringify(value) === text && printed.length < PRINTABLE ? { bytes: Buffer.from(printed), signed } : { bytes: signed, signed }
  } catch {
    // Not JSON, so it cannot be printed.
    return { bytes: signed, signed }
  }
}
