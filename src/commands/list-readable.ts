import { StoreError, type Operator } from '../delivery/operator.js'
import type { DeliveryQuery, ListedDelivery } from '../delivery/listing.js'
import type { Output } from '../terminal/output.js'
import { countDeliveries } from '../terminal/printable.js'

export interface Readable {
  readonly listed: readonly ListedDelivery[]
  /** Sequences that cannot be read. */
  readonly unreadable: readonly number[]
  /** Sequences below this one were not read, because there was too much damage; `undefined` if all were. */
  readonly gaveUpAt: number | undefined
}

/** Queries to try around damage: enough for a few hundred destroyed pages. */
const MAX_TRIES = 5000

/**
 * Lists deliveries, newest first, even from a damaged database. If a query fails, the newer and the older half of its range are read separately,
 * down to the single unreadable delivery.
 * @throws {StoreError}
 */
export async function listReadable (operator: Operator, query: Omit<DeliveryQuery, 'order' | 'after'>): Promise<Readable> {
  const listed: ListedDelivery[] = []
  const unreadable: number[] = []
  let tries = 0
  let gaveUpAt: number | undefined

  async function list (after: number, before: number): Promise<void> {
    const limit = query.limit - listed.length
    if (limit <= 0 || gaveUpAt !== undefined || before - after <= 1) return
    if (tries === MAX_TRIES) {
      gaveUpAt = before
      return
    }
    tries++
    try {
      listed.push(...await operator.list({ ...query, order: 'newest first', after, before, limit }))
    } catch (error) {
      if (!isDamage(error)) throw error
      if (before - after === 2) {
        unreadable.push(after + 1)
        return
      }
      const middle = Math.floor((after + before) / 2)
      await list(middle, before)
      await list(after, middle + 1)
    }
  }

  try {
    return { listed: await operator.list({ ...query, order: 'newest first' }), unreadable, gaveUpAt }
  } catch (error) {
    if (!isDamage(error)) throw error
    await list(0, Math.min(query.before ?? Infinity, await operator.lastSequence() + 1))
    return { listed, unreadable, gaveUpAt }
  }
}

function isDamage (error: unknown): boolean {
  return error instanceof StoreError && error.code === 'STORE_DAMAGED'
}

/** Reports which deliveries cannot be read, and what to do. Returns whether there are any. */
export function reportUnreadable (output: Output, { unreadable, gaveUpAt }: Readable): boolean {
  if (unreadable.length === 0) return false
  const newest = unreadable[0]
  const oldest = unreadable.at(-1)
  output.write(`tierhook: The database is damaged: ${countDeliveries(unreadable.length)} cannot be read, from sequence ${oldest} to ${newest}` +
    `${gaveUpAt === undefined ? '' : `, and what is older than sequence ${gaveUpAt} was not looked for`}. ` +
    'At its next start, or when it meets the damage, the service sets this file aside and takes over what can be read; "tierhook verify" tells what cannot.\n')
  return true
}
