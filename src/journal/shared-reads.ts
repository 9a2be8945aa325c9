import type { FeedReads, FreshPage, ReadDeliveries } from './engine.js'

/** How long pages are kept, in milliseconds. Forwarders that keep up read the same pages within this time. */
const KEEP_MS = 100
/** The most deliveries that are kept, on adjoining pages. */
const KEEP_DELIVERIES = 1024

export interface SharedReads extends Pick<FeedReads, 'readAfter'> {
  /**
   * Notes that there may be deliveries after those that were read or are being read. Keeps `fresh`, a page of them, so that no feed has
   * to read it.
   */
  readonly more: (fresh?: FreshPage) => void
  /** Drops all pages, because the store may contain something else now. */
  readonly forget: () => void
}

interface Reading {
  readonly after: number
  readonly found: Promise<ReadDeliveries>
  /** Whether deliveries arrived after the read began. A feed that was told of them must not get this page as the last one. */
  isStale: boolean
}

/**
 * Reads each page once for all forwarders at about the same position. Finding, checking and decoding a page is most of the work of a
 * forwarder that keeps up. The newest pages are kept for a moment.
 */
export function shareReads (readAfter: FeedReads['readAfter']): SharedReads {
  let kept: FreshPage | undefined
  let reading: Reading | undefined
  let timer: NodeJS.Timeout | undefined

  /** Keeps a page, joined with the kept one if possible. Pages arrive in any order: one may still be read while the next is handed over. */
  function keep (page: FreshPage): void {
    const joined = kept === undefined ? undefined : join(kept, page) ?? join(page, kept)
    kept = joined === undefined || joined.found.deliveries.length > KEEP_DELIVERIES ? page : joined
    timer ??= setTimeout(() => { kept = timer = undefined }, KEEP_MS).unref()
  }

  function keepOnceRead (page: Reading): void {
    const done = (found?: ReadDeliveries): void => {
      if (reading !== page) return
      reading = undefined
      if (found !== undefined) keep({ after: page.after, found: page.isStale ? { ...found, isAll: false } : found })
    }
    reading = page
    page.found.then(done, () => { done() })
  }

  return {
    readAfter (after, limit, limitBytes) {
      if (kept !== undefined && kept.after <= after && after < kept.found.upTo) return partOf(kept.found, after, limit, limitBytes)
      if (reading?.after === after && !reading.isStale) return reading.found.then((found) => partOf(found, after, limit, limitBytes))
      const found = readAfter(after, limit, limitBytes)
      if (found instanceof Promise) keepOnceRead({ after, found, isStale: false })
      else keep({ after, found })
      return found
    },

    more (fresh) {
      if (reading !== undefined) reading.isStale = true
      if (fresh !== undefined) keep(fresh)
      else if (kept !== undefined) kept = { ...kept, found: { ...kept.found, isAll: false } }
    },

    forget () { kept = reading = undefined }
  }
}

/** Joins two pages. Returns `undefined` if sequences may be missing between them. */
function join (first: FreshPage, second: FreshPage): FreshPage | undefined {
  const { deliveries, upTo } = first.found
  if (second.after < first.after || second.after > upTo) return undefined
  const rest = second.after === upTo ? second.found.deliveries : second.found.deliveries.filter(({ sequence }) => sequence > upTo)
  const { upTo: end, ...more } = second.found.upTo > upTo ? second.found : first.found
  return { after: first.after, found: { ...more, deliveries: [...deliveries, ...rest], upTo: end } }
}

/** The part of a page after a sequence, within the limits, but at least one delivery. */
function partOf ({ deliveries, ...whole }: ReadDeliveries, after: number, limit: number, limitBytes: number): ReadDeliveries {
  const rest = deliveries.filter(({ sequence }) => sequence > after)
  let bytes = 0
  const end = rest.findIndex(({ rawBody }, index) => {
    bytes += rawBody.byteLength
    return index > 0 && (index >= limit || bytes > limitBytes)
  })
  return end === -1 ? { ...whole, deliveries: rest } : { deliveries: rest.slice(0, end), upTo: rest[end - 1]?.sequence ?? after }
}
