import { distance } from 'fastest-levenshtein'
import { tierEvents } from '../voucherify/catalogue.js'

/** Names in Voucherify's lists may be misspelt by this many letters. The three expected names differ from one another by more. */
const MAX_WRONG_LETTERS = 2

/** An event's name in the form of the documentation, `campaign.loyalty_tier.created` or `EVENTS.CAMPAIGN.LOYALTY_TIER.CREATED`. */
const EVENT_NAME = /^[a-z0-9_]+(?:\.[a-z0-9_]+)+$/i

/** The tier events that a webhook of the project settings sends. Distributions send the others. */
const expected = tierEvents.filter(({ kind }) => kind === 'project').map(({ type }) => type)

export type TickedEvents =
  | { readonly known: true, readonly missing: readonly string[] }
  /** The list names no event in the documented form. It may mean all events, whose notation is not documented. */
  | { readonly known: false }

/** Returns which tier events of the project settings are missing from a list. */
export function tickedEvents (events: readonly string[]): TickedEvents {
  const names = events.filter((event) => EVENT_NAME.test(event)).map((event) => event.toLowerCase().replace(/^events\./, ''))
  if (names.length === 0) return { known: false }
  return { known: true, missing: expected.filter((type) => !names.some((name) => means(name, type))) }
}

function means (name: string, type: string): boolean {
  return Math.abs(name.length - type.length) <= MAX_WRONG_LETTERS && distance(name, type) <= MAX_WRONG_LETTERS
}
