import type { Loyalty } from './answers.js'
import { element, type Child } from './element.js'
import { shortId } from './tiers.js'
import { addressOf } from './view.js'

/** A customer by name where that is told, else by the beginning of the id; leads to what they went through. */
export function customerLink (customerId: string | null, loyalty?: Loyalty | null): Child {
  if (customerId === null) return loyalty?.customerName ?? '–'
  return element('a', { href: addressOf(['customers', customerId]), title: customerId }, ...namedWithId(loyalty?.customerName ?? shortId(customerId), customerId))
}

/** A name, and for those who hear it the id: two may have the same name. */
export function namedWithId (name: string, id: string): Child[] {
  return name === id ? [name] : [name, element('span', { class: 'unseen' }, ` ${id}`)]
}
