import { within } from '../delivery/within.js'

export interface CachedReadOptions<T> {
  readonly read: () => Promise<T>
  /** How long a value is reused, in milliseconds. */
  readonly freshMs: number
  /** How long a caller waits for a value at most, in milliseconds. */
  readonly limitMs: number
  readonly monotonic: () => number
}

/**
 * Makes a reader for a value that is asked for more often than it should be read. It never reads twice at once, and not again while the value is
 * fresh. It returns `undefined` if the value cannot be read within the limit.
 */
export function createCachedRead<T> ({ read, freshMs, limitMs, monotonic }: CachedReadOptions<T>): () => Promise<T | undefined> {
  let last: { readonly value: T | undefined, readonly at: number } | undefined
  let underWay: { readonly result: Promise<T | undefined>, readonly since: number } | undefined

  function begin (): { readonly result: Promise<T | undefined>, readonly since: number } {
    const result = read().catch(() => undefined).then((value) => {
      last = { value, at: monotonic() }
      underWay = undefined
      return value
    })
    return { result, since: monotonic() }
  }

  return async () => {
    if (last !== undefined && underWay === undefined && monotonic() - last.at < freshMs) return last.value
    underWay ??= begin()
    const { result, since } = underWay
    const leftMs = since + limitMs - monotonic()
    return leftMs <= 0 ? undefined : await within(leftMs, result)
  }
}
