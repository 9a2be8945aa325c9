import type { Loyalty } from './answers.js'
import { element, type Child } from './element.js'
import { shortId } from './tiers.js'
import { addressOf } from './view.js'

/** Links to a customer, shown by name if the answer has it, or else by the beginning of the id. */
export function customerLink (customerId: string | null, loyalty?: Loyalty | null): Child {
  if (customerId === null) return loyalty?.customerName ?? '–'
  return element('a', { href: addressOf(['customers', customerId]), title: customerId }, ...namedWithId(loyalty?.customerName ?? shortId(customerId), customerId))
}

/** Returns the name, plus the id for screen readers, because two customers may have the same name. */
export function namedWithId (name: string, id: string): Child[] {
  return name === id ? [name] : [name, element('span', { class: 'unseen' }, ` ${id}`)]
}
