const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$/

/**
 * The headers that carry the sender's trace on, where there is a valid one: an invalid `traceparent` is dropped, and
 * `tracestate` with it (https://www.w3.org/TR/trace-context/#a-traceparent-is-received).
 */
export function traceHeaders (headers: Readonly<Record<string, string>>): Record<string, string> {
  const { traceparent, tracestate } = headers
  if (traceparent === undefined || !isTraceparent(traceparent)) return {}
  return tracestate === undefined ? { traceparent } : { traceparent, tracestate }
}

/** The id of the sender's trace, 32 hexadecimal digits, where there is a valid `traceparent`. */
export function traceIdOf (headers: Readonly<Record<string, unknown>>): string | undefined {
  const { traceparent } = headers
  return typeof traceparent === 'string' && isTraceparent(traceparent) ? traceparent.split('-')[1] : undefined
}

function isTraceparent (value: string): boolean {
  const [, version, more] = TRACEPARENT.exec(value) ?? []
  // Only a later version may have more fields than the four of the first.
  return version !== undefined && (more === undefined || version !== '00')
}
