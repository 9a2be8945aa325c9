/** Formats a time in UTC, to the second. */
export function shortTime (time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`
}

/** Formats how long ago a time was, in the largest unit: `3 min ago`. */
export function formatAgo (ms: number): string {
  const [, number = '0', unit = 's'] = /^(\d+) (\w+)/.exec(formatSpan(ms)) ?? []
  return `${number} ${unit} ago`
}

/** Formats a span in its two largest units: `2 h 5 min`. */
export function formatSpan (ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return two(minutes, 'min', seconds % 60, 's')
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return two(hours, 'h', minutes % 60, 'min')
  return two(Math.floor(hours / 24), 'd', hours % 24, 'h')
}

function two (large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`
}
