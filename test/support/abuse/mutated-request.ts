import { createHmac } from 'node:crypto'
import { PROCESS_SECRET } from '../service-process.js'
import { abusiveBody } from './bodies.js'
import { CANARY, PATH_CANARY } from './canaries.js'
import type { Random } from './random.js'

/** A well-formed HTTP request, which leaves its connection open, and the answers that it may get. */
export interface MutatedRequest {
  readonly bytes: Buffer
  readonly method: string
  /** Whether it is a health check. */
  readonly health: boolean
  /** The statuses with which it may be answered. They include 503 if the request is to be stored. */
  readonly statuses: readonly number[]
}

/** A choice, with the status that it causes whatever the rest of the request is; without one if it changes nothing. */
type Choice = readonly [text: string, status?: number]

const webhookPaths = [
  '/webhooks', '/webhooks', '/webhooks', '/webhooks/', '/WEBHOOKS', '/%77ebhooks', '/webhooks?x=1', '/webhooks#x', `/webhooks?${PATH_CANARY}`,
  '/webhooks/customer.loyalty.tier.upgraded', '/webhooks/EVENTS.CUSTOMER.LOYALTY.TIER.LEFT', '/webhooks/campaign.loyalty_tier.updated',
  `/webhooks/custom/${PATH_CANARY}`, '/webhooks/custom/__proto__', 'http://x/webhooks', `https://${PATH_CANARY}/webhooks?y`
] as const

const otherPaths: readonly [Choice, ...Choice[]] = [
  ['/', 404], [`/${PATH_CANARY}`, 404], [`/webhooks/${PATH_CANARY}`, 404], ['//webhooks', 404], ['/webhooks/../webhooks', 404], ['/webhooks/__proto__', 404],
  ['/webhooks/constructor', 404], ['/webhooks;x=1', 404], ['/webhooks\\', 404], ['/webhooks%2fcustom', 404], ['/webhooks/custom/', 404], ['/webhooks/custom/a%00b', 404],
  ['/webhooks/custom/a%0d%0aX-A:%20b', 404], ['/webhooks/custom/a/b', 404], [`/webhooks/custom/${PATH_CANARY.repeat(20)}`, 404], [`/webhooks/${'a/'.repeat(2000)}`, 404],
  [`/webhooks/${PATH_CANARY.repeat(200)}`, 404], ['ftp://x/webhooks', 404], ['/.env', 404], ['/metrics', 404], ['/health', 404], ['/%c0%af', 400], [`/%zz${PATH_CANARY}`, 400],
  ['/webhooks/custom/%ff', 400]
]

const methods = [
  'GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'MKCOL', 'LOCK', 'COPY', 'SEARCH', 'REPORT', 'PURGE', 'M-SEARCH', 'SOURCE', 'NOTIFY', 'QUERY'
] as const

const encodings: readonly [Choice, ...Choice[]] = [
  ['identity'], ['IDENTITY'], ['gzip', 415], ['br', 415], ['deflate, gzip', 415], ['identity, gzip', 415], ['', 415], [CANARY, 415]
]

const types: readonly [Choice, ...Choice[]] = [
  ['APPLICATION/JSON'], ['application/json; charset=utf-16'], ['application/json;charset="utf-8"'], ['text/plain', 415], ['application/xml', 415], ['application/jsonp', 415],
  ['application/cloudevents+json', 415], ['multipart/form-data; boundary=x', 415], ['application/x-www-form-urlencoded', 415], ['application/json, text/plain', 415],
  ['', 415], [CANARY, 415], ['/', 415], ['application/', 415], ['*/*', 415]
]

const noise: ReadonlyArray<readonly [string, string]> = [
  ['X-Canary', CANARY], ['Cookie', `session=${CANARY}`], ['Authorization', `Bearer ${CANARY}`], ['User-Agent', CANARY.repeat(20)], ['X-Forwarded-For', `34.247.197.22, ${CANARY}`],
  ['Forwarded', 'for=34.247.197.22'], ['X-HTTP-Method-Override', 'DELETE'], ['Expect', '100-continue'], ['Expect', 'miracles'], ['Connection', 'Upgrade, HTTP2-Settings'],
  ['traceparent', CANARY], ['tracestate', ','.repeat(500)], ['__proto__', CANARY], ['constructor', CANARY], ['X-Odd', '\xe9\xff'], ['Host', 'another'], ['TE', 'trailers, gzip'],
  ['X-Long', CANARY.repeat(100)], ['Content-MD5', CANARY], ['Range', 'bytes=0-'], ['If-Match', '*'], ['Via', '1.1 x'], ['Keep-Alive', 'timeout=1'], ['Accept', 'text/html']
]

function wrongSignature (random: Random, right: string): readonly string[] {
  return random.pick<readonly string[]>([
    [], [''], ['   '], [right.toUpperCase().replace(/^[0-9]*$/, 'A')], [right, right], [`${right},${right}`], [`${right}, ${right}`], [right.slice(1)], [`${right}0`], [`sha256=${right}`],
    [`"${right}"`], ['g'.repeat(64)], ['0'.repeat(64)], [CANARY], [Buffer.from(right, 'hex').toString('base64')], ['\xe9'.repeat(64)], [right.repeat(30)],
    [`${right.slice(0, 63)}${right.endsWith('0') ? '1' : '0'}`]
  ])
}

function choose (random: Random, choices: readonly [Choice, ...Choice[]]): { text: string, status: number | undefined } {
  const [text, status] = random.pick(choices)
  return { text, status }
}

/** Makes a valid request with any of its parts changed. */
export function mutatedRequest (random: Random, eventId: string): MutatedRequest {
  const body = abusiveBody(random, eventId)
  const right = createHmac('sha256', PROCESS_SECRET).update(body.signed).digest('hex')
  const health = random.chance(0.03)
  const path = health
    ? { text: random.pick(['/health/live', '/health/ready', '/Health/Live/?x']), status: undefined }
    : random.chance(0.12) ? choose(random, otherPaths) : { text: random.pick(webhookPaths), status: undefined }
  const method = health ? random.pick(['GET', 'HEAD', 'POST', 'DELETE']) : random.chance(0.1) ? random.pick(methods) : 'POST'
  const encoding = random.chance(0.1) ? choose(random, encodings) : undefined
  const type = random.chance(0.15) ? choose(random, types) : { text: 'application/json', status: undefined }
  const signature = random.chance(0.5) ? wrongSignature(random, right) : [right]
  const authentic = signature.length === 1 && signature[0] === right
  const accepts = health ? ['GET', 'HEAD'].includes(method) : method === 'POST'

  const headers = [
    'Host: x', `Content-Type: ${type.text}`, ...(encoding === undefined ? [] : [`Content-Encoding: ${encoding.text}`]),
    ...signature.map((value) => `X-Voucherify-Signature: ${value}`)
  ]
  for (let count = random.below(4); count > 0; count--) headers.push((noise[random.below(noise.length)] ?? ['X-A', '']).join(': '))
  const hosts = headers.filter((header) => header.startsWith('Host:')).length
  // The first fault decides the answer, in this order: second host, path, method, encoding, form of the signature, type, signature.
  const wellFormed = signature.length === 1 && /^[0-9a-f]{64}$/.test(signature[0] ?? '')
  const status = badPath(path.status) ?? (hosts > 1 ? 400 : undefined) ?? path.status ?? (accepts ? undefined : 405) ?? (health ? 200 : undefined) ??
    encoding?.status ?? (wellFormed ? undefined : 401) ?? type.status ?? (authentic ? undefined : 401)
  if (random.chance(0.01)) headers.push(...Array.from({ length: random.below(500) }, (_, index) => `X-${index}: 1`))
  return {
    method,
    health,
    statuses: status === undefined ? [202, 200, 503] : [status],
    bytes: framed(random, `${method} ${path.text} HTTP/1.1`, headers, body.bytes)
  }
}

/** The router refuses a path that it cannot decode before anything else. */
function badPath (status: number | undefined): number | undefined {
  return status === 400 ? status : undefined
}

/** Sends the body with a length, or in chunks of odd forms. */
function framed (random: Random, line: string, headers: readonly string[], body: Buffer): Buffer {
  const chunked = random.chance(0.25)
  const head = [line, ...shuffled(random, [...headers, chunked ? random.pick(['Transfer-Encoding: chunked', 'transfer-encoding:\tCHUNKED ']) : `Content-Length: ${body.length}`]), '', ''].join('\r\n')
  if (!chunked) return Buffer.concat([Buffer.from(head, 'latin1'), body])
  const parts: Buffer[] = [Buffer.from(head, 'latin1')]
  for (let at = 0; at < body.length;) {
    const length = Math.min(body.length - at, 1 + random.below(random.chance(0.2) ? 3 : 400))
    const extension = random.pick(['', '', '', `;a=${CANARY}`, ';a', ';a="b"'])
    parts.push(Buffer.from(`${random.pick(['', '0', '00000000'])}${length.toString(16)}${extension}\r\n`), body.subarray(at, at + length), Buffer.from('\r\n'))
    at += length
  }
  const trailer = random.pick(['', '', `X-Trailer: ${CANARY}\r\n`, `X-Voucherify-Signature: ${'0'.repeat(64)}\r\n`])
  return Buffer.concat([...parts, Buffer.from(`${random.pick(['0', '000'])}\r\n${trailer}\r\n`)])
}

function shuffled (random: Random, headers: readonly string[]): string[] {
  const order = headers.map((header) => ({ header, key: random.next() }))
  // The first Content-Type counts.
  return order.sort((one, other) => one.key - other.key).map(({ header }) => header)
}
