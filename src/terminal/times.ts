import { InvalidArgumentError } from 'commander'
import { parseTime } from '../delivery/parse-time.js'

const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/** An option's parser for a moment: an ISO 8601 time, or a span before now such as `2h`. In milliseconds since the epoch. */
export function moment (now: () => number): (text: string) => number {
  return text => {
    const span = /^(\d{1,6})([smhdw])$/.exec(text)
    if (span !== null) return now() - Number(span[1]) * (units[span[2] ?? ''] ?? 0)
    const time = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/.test(text) ? parseTime(text) : NaN
    if (!Number.isNaN(time)) return time
    throw new InvalidArgumentError('It must be a time such as 2026-01-31T08:00:00Z, or a span before now such as 30s, 15m, 2h, 7d or 1w.')
  }
}

/** A moment, to the second. */
export function shortTime (time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`
}

/** How long ago a moment was, in its largest unit: `3 min ago`. */
export function formatAgo (ms: number): string {
  const [, number = '0', unit = 's'] = /^(\d+) (\w+)/.exec(formatSpan(ms)) ?? []
  return `${number} ${unit} ago`
}

/** How long it is between two moments, in the two largest units: `2 h 5 min`. */
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
