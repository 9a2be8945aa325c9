import { InvalidArgumentError } from 'commander'
import { parseTime } from '../delivery/parse-time.js'

const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/** Returns an option parser for an ISO 8601 time, or a span before now such as `2h`. The value is in milliseconds since the epoch. */
export function moment (now: () => number): (text: string) => number {
  return text => {
    const span = /^(\d{1,6})([smhdw])$/.exec(text)
    if (span !== null) return now() - Number(span[1]) * (units[span[2] ?? ''] ?? 0)
    const time = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/.test(text) ? parseTime(text) : NaN
    if (!Number.isNaN(time)) return time
    throw new InvalidArgumentError('It must be a time such as 2026-01-31T08:00:00Z, or a span before now such as 30s, 15m, 2h, 7d or 1w.')
  }
}
