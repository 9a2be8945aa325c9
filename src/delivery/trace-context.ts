const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$/

/**
 * Returns the headers that continue the sender's trace. If `traceparent` is absent or invalid, returns none, so an invalid one drops
 * `tracestate` too (https://www.w3.org/TR/trace-context/#a-traceparent-is-received).
 */
export function traceHeaders (headers: Readonly<Record<string, string>>): Record<string, string> {
  const { traceparent, tracestate } = headers
  if (traceparent === undefined || !isTraceparent(traceparent)) return {}
  return tracestate === undefined ? { traceparent } : { traceparent, tracestate }
}

/** Returns the id of the sender's trace, 32 hexadecimal digits; `undefined` if there is no valid `traceparent`. */
export function traceIdOf (headers: Readonly<Record<string, unknown>>): string | undefined {
  const { traceparent } = headers
  return typeof traceparent === 'string' && isTraceparent(traceparent) ? traceparent.split('-')[1] : undefined
}

function isTraceparent (value: string): boolean {
  const [, version, more] = TRACEPARENT.exec(value) ?? []
  // Version 00 has exactly four fields. Only later versions may have more.
  return version !== undefined && (more === undefined || version !== '00')
}
