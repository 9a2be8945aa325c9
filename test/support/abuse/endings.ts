import { createHmac } from 'node:crypto'
import { eventBody, PROCESS_SECRET } from '../service-process.js'
import { CANARY, SMUGGLED } from './canaries.js'
import type { Random } from './random.js'

/** The last request of a connection. The service cannot know where the next one would begin. */
export interface Ending {
  readonly name: string
  readonly bytes: Buffer
  /** What follows the bytes: nothing, or the connection is torn down. */
  readonly then: 'end' | 'destroy' | 'reset'
  /** The statuses with which the request may be answered, if it is answered at all. */
  readonly statuses: readonly number[]
}

interface Last {
  readonly statuses: readonly number[]
  readonly then?: Ending['then']
  readonly bytes: (random: Random, eventId: string) => string | Buffer
}

function signatureOf (body: string | Buffer): string {
  return createHmac('sha256', PROCESS_SECRET).update(body).digest('hex')
}

/** Makes an authentic request with additional or replaced lines in its head. */
function authentic (eventId: string, { first = 'POST /webhooks HTTP/1.1', framing = undefined, extra = [] }: { readonly first?: string, readonly framing?: readonly string[], readonly extra?: readonly string[] } = {}): string {
  const body = eventBody(eventId)
  return [first, 'Host: x', 'Content-Type: application/json', `X-Voucherify-Signature: ${signatureOf(body)}`, ...(framing ?? [`Content-Length: ${body.length}`]), ...extra, '', body].join('\r\n')
}

/** Has a well-formed signature, because the body would not be read without one. */
const head = `POST /webhooks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-Voucherify-Signature: ${'0'.repeat(64)}\r\nX-Canary: ${CANARY}\r\n`

/** Makes a request to hide in another one. Its event is authentic, so it would be stored if the service took it for a request. */
function hidden (eventId: string): string {
  return authentic(`${SMUGGLED}${eventId}`)
}

const accepted = [202, 200, 503]

const lasts: Readonly<Record<string, Last>> = {
  'h2 preface': { statuses: [400], bytes: () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x12\x04\0\0\0\0\0' },
  'TLS hello': { statuses: [400], bytes: (random) => Buffer.concat([Buffer.from('16030100c8010000c40303', 'hex'), random.bytes(random.below(300))]) },
  'a proxy protocol header': { statuses: [400], bytes: (_random, id) => `PROXY TCP4 34.247.197.22 127.0.0.1 1 2\r\n${hidden(id)}` },
  'a method that nobody knows': { statuses: [400], bytes: (random) => `${random.pick([CANARY, 'post', 'POSTT', 'P\0ST', 'WEBHOOK'])} /webhooks HTTP/1.1\r\nHost: x\r\n\r\n` },
  'a version that nobody knows': { statuses: [400], bytes: (random, id) => authentic(id, { first: `POST /webhooks HTTP/${random.pick(['1.2', '3.0', '9.9', 'x', '1.1.1'])}` }) },
  CONNECT: { statuses: [], bytes: () => 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n' },
  'HTTP/1.0': { statuses: accepted, bytes: (_random, id) => authentic(id, { first: 'POST /webhooks HTTP/1.0' }) },
  // The bytes behind it must not be taken for a request.
  'Connection: close': { statuses: [...accepted, 400], bytes: (_random, id) => `${authentic(id, { extra: ['Connection: close'] })}${hidden(id)}` },
  // Node drops the request's own body, and reads on in the middle of the bytes behind it.
  'an upgrade': { statuses: [...accepted, 400], bytes: (random, id) => `${authentic(id, { extra: ['Connection: Upgrade', `Upgrade: ${random.pick(['websocket', 'h2c', CANARY])}`] })}${hidden(id)}` },
  'a length and chunks': { statuses: [400], bytes: (random, id) => shuffledHead(random, ['Content-Length: 4', 'Transfer-Encoding: chunked'], `0\r\n\r\n${hidden(id)}`) },
  'two lengths': { statuses: [400], bytes: (random, id) => shuffledHead(random, ['Content-Length: 0', `Content-Length: ${hidden(id).length}`], hidden(id)) },
  'a list of lengths': { statuses: [400], bytes: (random, id) => `${head}Content-Length: ${random.pick(['2, 2', '2,2', '+2', '0x2', '2 2', '-2', '', '2;', '99999999999999999999'])}\r\n\r\n{}${hidden(id)}` },
  'chunks inside of another coding': { statuses: [400], bytes: (random, id) => `${head}Transfer-Encoding: ${random.pick(['gzip, chunked', 'gzip,chunked', 'identity, chunked', 'gzip\r\nTransfer-Encoding: chunked'])}\r\n\r\n0\r\n\r\n${hidden(id)}` },
  'two hosts': { statuses: [400], bytes: (random, id) => authentic(id, { extra: [`${random.pick(['Host', 'host', 'HOST'])}: ${random.pick(['x', 'other', ''])}`] }) },
  'chunks in HTTP/1.0': { statuses: [400], bytes: (_random, id) => `${head.replace('HTTP/1.1', 'HTTP/1.0')}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden(id)}` },
  'a coding that is no chunks': {
    statuses: [400], bytes: (random, id) => `${head}Transfer-Encoding: ${random.pick(['xchunked', 'chunked, gzip', 'identity', 'chunked\r\nTransfer-Encoding: x', '"chunked"', 'chun ked'])}\r\n\r\n0\r\n\r\n${hidden(id)}`
  },
  'an empty coding': { statuses: [400], bytes: (_random, id) => `${head}Transfer-Encoding: \r\n\r\n0\r\n\r\n${hidden(id)}` },
  'a space before the colon': { statuses: [400], bytes: (_random, id) => `${head}Transfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${hidden(id)}` },
  'a folded header': { statuses: [400], bytes: (random, id) => `${head}${random.pick(['X-A: 1\r\n 2', 'Content-Length:\r\n 5', 'Transfer-Encoding:\r\n\tchunked'])}\r\n\r\n0\r\n\r\n${hidden(id)}` },
  'line ends without a return': { statuses: [400], bytes: (_random, id) => hidden(id).replaceAll('\r\n', '\n') },
  'a return without a line end': { statuses: [400], bytes: (_random, id) => `${head}X-A: b\rX-C: d\r\n\r\n${hidden(id)}` },
  'odd bytes in a header': { statuses: [400], bytes: (random) => Buffer.from(`${head}X-A: ${String.fromCharCode(random.pick([0, 1, 7, 8, 11, 12, 27, 127]))}\r\n\r\n`) },
  'odd bytes in a path': { statuses: [400], bytes: (random) => Buffer.from(`POST /webhooks${String.fromCharCode(random.pick([0, 1, 11, 27, 127, 128, 255]))} HTTP/1.1\r\nHost: x\r\n\r\n`, 'latin1') },
  'no path': { statuses: [400], bytes: (random) => `POST ${random.pick(['', 'webhooks', '?x', 'x:80', '\\webhooks'])} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n` },
  'a header without a colon': { statuses: [400], bytes: () => `${head}${CANARY}\r\n\r\n` },
  'a chunk size that is none': {
    statuses: [400], bytes: (random, id) => `${head}Transfer-Encoding: chunked\r\n\r\n${random.pick(['zz', '-1', '0x1', '', ' 1', 'fffffffffffffffff', '1\n', '1 1'])}\r\nx\r\n0\r\n\r\n${hidden(id)}`
  },
  'a chunk of another size': { statuses: [400], bytes: (_random, id) => `${head}Transfer-Encoding: chunked\r\n\r\n3\r\n${hidden(id)}` },
  'an endless chunk extension': { statuses: [400], bytes: () => `${head}Transfer-Encoding: chunked\r\n\r\n1;${'a'.repeat(20_000)}\r\n` },
  'endless trailers': { statuses: [431], bytes: () => `${head}Transfer-Encoding: chunked\r\n\r\n0\r\n${`X-A: ${CANARY}\r\n`.repeat(1500)}\r\n` },
  'a body over the limit': { statuses: [413], bytes: (random) => `${head}Content-Length: 70000\r\n\r\n${CANARY.repeat(random.below(6000))}` },
  'chunks over the limit': { statuses: [413], bytes: () => `${head}Transfer-Encoding: chunked\r\n\r\n11170\r\n${'x'.repeat(70_000)}\r\n` },
  'a length beyond all bounds': { statuses: [413], bytes: () => `${head}Content-Length: 9007199254740991\r\n\r\n{}` },
  'large headers': { statuses: [431], bytes: (random) => `${head}X-Large: ${'x'.repeat(17_000 + random.below(20_000))}\r\n\r\n` },
  'a long path': { statuses: [431], bytes: (random) => `POST /${random.pick(['', 'webhooks/', 'webhooks?'])}${'a'.repeat(17_000 + random.below(20_000))} HTTP/1.1\r\nHost: x\r\n\r\n` },
  'many headers': { statuses: [431], bytes: (random) => `${head}${Array.from({ length: random.chance(0.02) ? 100_000 : 3000 }, (_, index) => `X-${index}: 1\r\n`).join('')}\r\n` },
  'half a request line': { statuses: [400, 408], bytes: (random, id) => authentic(id).slice(0, 1 + random.below(20)) },
  'half the headers': { statuses: [400, 408], bytes: (random, id) => authentic(id).slice(0, 30 + random.below(100)) },
  'half a body': { statuses: [400, 408], bytes: (random, id) => authentic(id).slice(0, -1 - random.below(100)) },
  'half a body, torn down': { statuses: [400, 408], then: 'destroy', bytes: (random, id) => authentic(id).slice(0, -1 - random.below(100)) },
  'half a body, reset': { statuses: [400, 408], then: 'reset', bytes: (random, id) => authentic(id).slice(0, -1 - random.below(100)) },
  'a whole request, torn down': { statuses: accepted, then: 'destroy', bytes: (_random, id) => authentic(id) },
  'a whole request, reset': { statuses: accepted, then: 'reset', bytes: (_random, id) => authentic(id) },
  'a flipped bit': { statuses: [200, 202, 400, 401, 404, 405, 408, 413, 415, 431, 503], bytes: flippedBit },
  'random bytes': { statuses: [400, 404, 405, 408], bytes: (random) => random.bytes(1 + random.below(300)) }
}

/** Flips a bit of the head only. In the body, it would just make the signature wrong. The method cannot become HEAD, whose answer has no body. */
function flippedBit (random: Random, eventId: string): Buffer {
  const request = authentic(eventId)
  const bytes = Buffer.from(request)
  const at = random.below(request.indexOf('\r\n\r\n'))
  bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8))
  return bytes
}

function shuffledHead (random: Random, [one = '', other = '']: readonly string[], rest: string): string {
  return `${head}${(random.chance(0.5) ? [one, other] : [other, one]).join('\r\n')}\r\n\r\n${rest}`
}

const names = Object.entries(lasts)

export function ending (random: Random, eventId: string): Ending {
  const [name, last] = random.pick(names as [(typeof names)[number], ...typeof names])
  return { name, bytes: Buffer.from(last.bytes(random, eventId)), then: last.then ?? 'end', statuses: last.statuses }
}

/** Makes one ending of each kind. */
export function everyEnding (random: Random, eventId: (name: string) => string): readonly Ending[] {
  return names.map(([name, last]) => ({ name, bytes: Buffer.from(last.bytes(random, eventId(name))), then: last.then ?? 'end', statuses: last.statuses }))
}
