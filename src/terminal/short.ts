/** Length of the start of a delivery's id that holds its time in milliseconds. It normally identifies one delivery, and every command accepts it. */
const DELIVERY_ID_LENGTH = 13
/** Lengths of shown ids: the shortest one that keeps all ids of a list different is used. */
const ID_LENGTHS = [DELIVERY_ID_LENGTH, 18, 23]
const SENDER_ID_LENGTH = 4

/** Returns the beginning of a delivery's id, as shown in place of the id. */
export function shortId (id: string): string {
  return id.slice(0, DELIVERY_ID_LENGTH)
}

/** Returns a function that shortens the ids of a list as far as they stay different. */
export function shortenIds (ids: readonly string[]): (id: string) => string {
  const all = new Set(ids)
  const length = ID_LENGTHS.find((each) => new Set([...all].map((id) => id.slice(0, each))).size === all.size)
  return (id) => id.slice(0, length)
}

/** Shortens a Voucherify id, such as `cust_3a5d…`, so that equal ids are still recognised. */
export function shortSenderId (id: string): string {
  const end = id.indexOf('_') + 1 + SENDER_ID_LENGTH
  return id.length <= end + 1 ? id : `${id.slice(0, end)}…`
}

export interface Tiers {
  readonly tierName?: unknown
  readonly tierFromName?: unknown
  readonly tierToName?: unknown
}

/** Formats the tier of an event, or a member's move between tiers: `Leaf → Blütentee`. Empty if the event has no tiers. */
export function formatTiers ({ tierName, tierFromName, tierToName }: Tiers): string {
  const [from, to] = [tierFromName, tierToName].map((name) => typeof name === 'string' ? name : '')
  if (from !== '' || to !== '') return [from, '→', to].filter((part) => part !== '').join(' ')
  return typeof tierName === 'string' ? tierName : ''
}
