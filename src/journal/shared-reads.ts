import type { FeedReads, FreshPage, ReadDeliveries } from './engine.js'

/** How long pages are kept, in milliseconds: forwarders that keep up read the same ones within that time. */
const KEEP_MS = 100
/** How many deliveries of pages that follow each other are kept. */
const KEEP_DELIVERIES = 1024

export interface SharedReads extends Pick<FeedReads, 'readAfter'> {
  /** There is more than what was read, and is being read, may have; a page of it that nobody needs to read is kept. */
  readonly more: (fresh?: FreshPage) => void
  /** What was read may not be what is stored any more. */
  readonly forget: () => void
}

interface Reading {
  readonly after: number
  readonly found: Promise<ReadDeliveries>
  /** Whether there is more since it began: who was told of that must not take it for all. */
  isStale: boolean
}

/**
 * Reads a page once for all forwarders that stand at about the same place: to find, check and decode it is most of the work of
 * one that keeps up. The newest pages are kept, for a moment.
 */
export function shareReads (readAfter: FeedReads['readAfter']): SharedReads {
  let kept: FreshPage | undefined
  let reading: Reading | undefined
  let timer: NodeJS.Timeout | undefined

  /** Pages come in any order: one that is read while the next one is handed over is there after it. */
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

/** Two pages as one, where nothing is missing between them. */
function join (first: FreshPage, second: FreshPage): FreshPage | undefined {
  const { deliveries, upTo } = first.found
  if (second.after < first.after || second.after > upTo) return undefined
  const rest = second.after === upTo ? second.found.deliveries : second.found.deliveries.filter(({ sequence }) => sequence > upTo)
  const { upTo: end, ...more } = second.found.upTo > upTo ? second.found : first.found
  return { after: first.after, found: { ...more, deliveries: [...deliveries, ...rest], upTo: end } }
}

/** What a page has after a sequence: as much as the limits leave room for, but one delivery at least. */
function partOf ({ deliveries, ...whole }: ReadDeliveries, after: number, limit: number, limitBytes: number): ReadDeliveries {
  const rest = deliveries.filter(({ sequence }) => sequence > after)
  let bytes = 0
  const end = rest.findIndex(({ rawBody }, index) => {
    bytes += rawBody.byteLength
    return index > 0 && (index >= limit || bytes > limitBytes)
  })
  return end === -1 ? { ...whole, deliveries: rest } : { deliveries: rest.slice(0, end), upTo: rest[end - 1]?.sequence ?? after }
}
