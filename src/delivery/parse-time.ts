/** The time of an ISO 8601 text, in milliseconds since the epoch; `NaN` where there is none such. `Date.parse` alone takes February 30th for March 2nd. */
export function parseTime (text: string): number {
  const day = text.slice(0, 10)
  const time = Date.parse(text)
  return !Number.isNaN(time) && new Date(day).toISOString().startsWith(day) ? time : NaN
}
