/** No more digits, no month 13 and no day 0: of what is not ISO 8601, `Date.parse` makes what it likes. */
const DAY = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?!\d)/
/** Every month has days up to this one. */
const SURE_DAY = '28'

/** The time of an ISO 8601 text, in milliseconds since the epoch; `NaN` where there is none such. `Date.parse` alone takes February 30th for March 2nd. */
export function parseTime (text: string): number {
  if (!DAY.test(text)) return NaN
  const time = Date.parse(text)
  const day = text.slice(0, 10)
  if (Number.isNaN(time) || day.slice(8) <= SURE_DAY) return time
  return new Date(day).toISOString().startsWith(day) ? time : NaN
}
