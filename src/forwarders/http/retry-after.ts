import type { AnswerHeaders } from './exchange.js'

const DATE = /^[A-Z][a-z]{2,8},? /

/**
 * How long the destination asks to be left alone, in milliseconds (RFC 9110, section 10.2.3): `undefined` where it does not
 * say, says it wrongly, or names a time that is over.
 * @param now wall-clock time, for a date in an answer that does not say what time it is at the destination
 */
export function retryAfterMs (headers: AnswerHeaders, now: number): number | undefined {
  const value = first(headers['retry-after'])?.trim() ?? ''
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : dateMs(value) - (dateMs(first(headers['date']) ?? '') || now)
  return ms > 0 ? ms : undefined
}

/** An HTTP date in any of its three forms (RFC 9110, section 5.6.7); `NaN` for anything else. */
function dateMs (value: string): number {
  if (!DATE.test(value)) return NaN
  // The oldest form does not name its zone, which is always GMT.
  return Date.parse(value.endsWith(' GMT') ? value : `${value} GMT`)
}

function first (value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0]
}
