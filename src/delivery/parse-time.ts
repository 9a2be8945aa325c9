/** An ISO 8601 day: four digits of a year, no month 13 and no day 0. `Date.parse` reads other text in ways that are not specified. */
const DAY = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?!\d)/
/** Every month has at least this many days. */
const SURE_DAY = '28'

/** Parses an ISO 8601 text and returns milliseconds since the epoch; `NaN` if it is none. `Date.parse` alone reads February 30th as March 2nd. */
export function parseTime (text: string): number {
  if (!DAY.test(text)) return NaN
  const time = Date.parse(text)
  const day = text.slice(0, 10)
  if (Number.isNaN(time) || day.slice(8) <= SURE_DAY) return time
  return new Date(day).toISOString().startsWith(day) ? time : NaN
}
