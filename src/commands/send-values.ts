import { InvalidArgumentError } from 'commander'

/** Returns an option parser for numbers above 0, up to `maximum`. */
export function positiveNumber (maximum: number): (text: string) => number {
  return text => {
    const value = /^\d{1,15}(?:\.\d{1,9})?$/.test(text) ? Number(text) : NaN
    if (value > 0 && value <= maximum) return value
    throw new InvalidArgumentError(`It must be a number above 0 and up to ${maximum}.`)
  }
}

/** Option parser for a share such as `5%`. Returns 0 to 1. */
export function share (text: string): number {
  const percent = /^\d{1,3}(?:\.\d{1,6})?%$/.test(text) ? Number(text.slice(0, -1)) : NaN
  if (percent >= 0 && percent <= 100) return percent / 100
  throw new InvalidArgumentError('It must be a share from 0% to 100%, such as 5%.')
}

/** Option parser for a clock factor such as `1000x`. */
export function factor (text: string): number {
  const value = /^\d{1,9}x?$/.test(text) ? Number.parseInt(text, 10) : NaN
  if (value >= 1) return value
  throw new InvalidArgumentError('It must be a whole number of times, such as 1000x; 1x is real time.')
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Option parser for a span such as `30s`. Returns milliseconds. */
export function span (text: string): number {
  const [, number, unit = ''] = /^(\d{1,6})(ms|s|m|h)$/.exec(text) ?? []
  if (number !== undefined) return Number(number) * (units[unit] ?? 0)
  throw new InvalidArgumentError('It must be a span of time such as 500ms, 30s, 5m or 1h.')
}

export type Headers = Readonly<Record<string, string>>

/** Headers that the request itself determines, or that control the connection. */
const ownHeaders = new Set(['content-length', 'transfer-encoding', 'connection', 'host', 'upgrade', 'expect', 'keep-alive', 'te', 'trailer'])

/** Option parser for a repeatable header, `Name: value`. */
export function header (text: string, before: Headers = {}): Headers {
  const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*:\s*([\t\x20-\x7e\x80-\xff]*)$/.exec(text) ?? []
  if (name === undefined || value === undefined) throw new InvalidArgumentError('It must be written as Name: value.')
  if (ownHeaders.has(name.toLowerCase())) throw new InvalidArgumentError(`${name} cannot be set: it belongs to the connection.`)
  return { ...before, [name.toLowerCase()]: value.trim() }
}
