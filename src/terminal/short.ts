/** The part of a delivery's id that is its time to the millisecond: as a rule it names one delivery, and every command takes it. */
const DELIVERY_ID_LENGTH = 13
/** How much of ids is shown, one more part at a time, until no two in a list look the same. */
const ID_LENGTHS = [DELIVERY_ID_LENGTH, 18, 23]
const SENDER_ID_LENGTH = 4

/** The beginning of a delivery's id, which stands for it. */
export function shortId (id: string): string {
  return id.slice(0, DELIVERY_ID_LENGTH)
}

/** Makes the ids of a list as short as they can be told apart by. */
export function shortenIds (ids: readonly string[]): (id: string) => string {
  const all = new Set(ids)
  const length = ID_LENGTHS.find((each) => new Set([...all].map((id) => id.slice(0, each))).size === all.size)
  return (id) => id.slice(0, length)
}

/** An id of the sender's, such as `cust_3a5d…`: enough to see which are the same. */
export function shortSenderId (id: string): string {
  const end = id.indexOf('_') + 1 + SENDER_ID_LENGTH
  return id.length <= end + 1 ? id : `${id.slice(0, end)}…`
}

export interface Tiers {
  readonly tierName?: unknown
  readonly tierFromName?: unknown
  readonly tierToName?: unknown
}

/** Which tier it is about, or from which to which a member moved: `Leaf → Blütentee`. Empty where the event says nothing of tiers. */
export function formatTiers ({ tierName, tierFromName, tierToName }: Tiers): string {
  const [from, to] = [tierFromName, tierToName].map((name) => typeof name === 'string' ? name : '')
  if (from !== '' || to !== '') return [from, '→', to].filter((part) => part !== '').join(' ')
  return typeof tierName === 'string' ? tierName : ''
}
