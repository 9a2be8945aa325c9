import { distance } from 'fastest-levenshtein'
import { tierEvents } from '../voucherify/catalogue.js'

/** Voucherify's lists have misspelt names in them, and these mean the event too. The three names differ from each other by more. */
const MOST_WRONG_LETTERS = 2

/** A name in the form of the documents, `campaign.loyalty_tier.created` or `EVENTS.CAMPAIGN.LOYALTY_TIER.CREATED`. */
const EVENT_NAME = /^[a-z0-9_]+(?:\.[a-z0-9_]+)+$/i

/** The tier events that a webhook of the project settings sends. The others are sent by distributions. */
const expected = tierEvents.filter(({ kind }) => kind === 'project').map(({ type }) => type)

export type TickedEvents =
  | { readonly known: true, readonly missing: readonly string[] }
  /** The list names no event as the documents do. It may mean all events: how that is written is not documented. */
  | { readonly known: false }

/** Which tier events of the project settings a list lacks. */
export function tickedEvents (events: readonly string[]): TickedEvents {
  const names = events.filter((event) => EVENT_NAME.test(event)).map((event) => event.toLowerCase().replace(/^events\./, ''))
  if (names.length === 0) return { known: false }
  return { known: true, missing: expected.filter((type) => !names.some((name) => means(name, type))) }
}

function means (name: string, type: string): boolean {
  return Math.abs(name.length - type.length) <= MOST_WRONG_LETTERS && distance(name, type) <= MOST_WRONG_LETTERS
}
