import type { AnswerHeaders } from './exchange.js'

const DATE = /^[A-Z][a-z]{2,8},? /

/**
 * Returns how long the destination asks us to wait, in milliseconds (RFC 9110, section 10.2.3); `undefined` if it does not ask, if the
 * value is malformed, or if the time is over.
 * @param now wall-clock time, to compare a date with if the answer has no `date` header
 */
export function retryAfterMs (headers: AnswerHeaders, now: number): number | undefined {
  const value = first(headers['retry-after'])?.trim() ?? ''
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : dateMs(value) - (dateMs(first(headers['date']) ?? '') || now)
  return ms > 0 ? ms : undefined
}

/** Parses an HTTP date in any of its three forms (RFC 9110, section 5.6.7); `NaN` for any other text. */
function dateMs (value: string): number {
  if (!DATE.test(value)) return NaN
  // The oldest form names no zone. The zone is always GMT.
  return Date.parse(value.endsWith(' GMT') ? value : `${value} GMT`)
}

function first (value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0]
}
