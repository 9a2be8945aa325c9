import { accepted, type Decoded, refused } from './decoded.js'

const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const item = /^(source:[A-Za-z0-9_-]{1,100}|[A-Za-z0-9_.*-]{1,200}) *= *(\d{1,6})([smhd])$/
const MAX_MS = 366 * 86_400_000
/** The most expectations. Every event is compared with each, and each has its own metrics. */
const MAX_EXPECTATIONS = 20

/** Reads comma-separated `pattern=time` pairs. */
export function decodeExpectations (text: string): Decoded {
  const items = text.split(',').map(part => part.trim())
  const expectations: Array<{ pattern: string, withinMs: number }> = []
  for (const each of items) {
    const [, pattern, number, unit = ''] = item.exec(each) ?? []
    if (pattern === undefined) {
      return refused(`must be a comma-separated list of an event type (* stands for any characters), or source: and an id, with = and a time such as 90m, 24h or 7d; ${JSON.stringify(each.slice(0, 80))} is not one`)
    }
    const withinMs = Number(number) * (units[unit] ?? NaN)
    if (withinMs === 0 || withinMs > MAX_MS) return refused(`must have a time from 1s to 366d for ${pattern}`)
    if (expectations.some(other => other.pattern === pattern)) return refused(`names ${pattern} twice; name each once`)
    expectations.push({ pattern, withinMs })
  }
  return expectations.length > MAX_EXPECTATIONS ? refused(`must not name more than ${MAX_EXPECTATIONS}; * stands for any characters`) : accepted(expectations)
}
