import type { Attempt } from '../../delivery/forwarder.js'
import { traceHeaders } from '../../delivery/trace-context.js'
import { headerText } from './percent-encode.js'

export interface Header {
  /** In lower case. */
  readonly name: string
  readonly value: string
}

/** Headers that the forwarder sends itself, and headers of the connection instead of the request. */
const RESERVED = new RegExp('^(?:' + [
  'content-.*', 'user-agent', 'webhook-.*', 'tierhook-.*', 'x-voucherify-signature', 'traceparent', 'tracestate', 'ce-.*',
  'host', 'connection', 'keep-alive', 'transfer-encoding', 'te', 'trailer', 'upgrade', 'expect', 'proxy-.*', 'http2-settings'
].join('|') + ')$')

/** Whether only the forwarder may set a header. */
export function isReservedHeader (name: string): boolean {
  return RESERVED.test(name.toLowerCase())
}

/** Returns the headers that describe a delivery and its attempt in every format: names and values in turn. */
export function ownHeaders ({ delivery, number, replay }: Attempt, timestamp: number): string[] {
  const headers = [
    'webhook-id', delivery.id,
    'webhook-timestamp', String(timestamp),
    'tierhook-event-type', headerText(delivery.eventType),
    'tierhook-verdict', delivery.verdict,
    'tierhook-attempt', String(number)
  ]
  if (replay) headers.push('tierhook-replay', 'true')
  if (delivery.headers['traceparent'] !== undefined) headers.push(...Object.entries(traceHeaders(delivery.headers)).flat())
  return headers
}
