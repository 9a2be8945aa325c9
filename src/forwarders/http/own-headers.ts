import type { Attempt } from '../../delivery/forwarder.js'
import { traceHeaders } from '../../delivery/trace-context.js'
import { headerText } from './percent-encode.js'

export interface Header {
  /** In lower case. */
  readonly name: string
  readonly value: string
}

/** What this forwarder says itself, and what belongs to the connection and not to the request. */
const RESERVED = new RegExp('^(?:' + [
  'content-.*', 'user-agent', 'webhook-.*', 'tierhook-.*', 'x-voucherify-signature', 'traceparent', 'tracestate', 'ce-.*',
  'host', 'connection', 'keep-alive', 'transfer-encoding', 'te', 'trailer', 'upgrade', 'expect', 'proxy-.*', 'http2-settings'
].join('|') + ')$')

/** Whether a header is the forwarder's own, so that nobody else may set it. */
export function isReservedHeader (name: string): boolean {
  return RESERVED.test(name.toLowerCase())
}

/** What the headers say of a delivery and of the attempt at it, whatever the format: names and values by turns. */
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
