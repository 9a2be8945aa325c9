const DAY = /^\d{4}-\d{2}-\d{2}/

/** The time of an ISO 8601 text, in milliseconds since the epoch; `NaN` where there is none such. `Date.parse` alone takes February 30th for March 2nd. */
export function parseTime (text: string): number {
  const day = DAY.exec(text)?.[0]
  if (day === undefined) return NaN
  const time = Date.parse(text)
  return !Number.isNaN(time) && new Date(day).toISOString().startsWith(day) ? time : NaN
}
