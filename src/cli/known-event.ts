import { closest } from 'fastest-levenshtein'
import { catalogue, findEventByName } from '../voucherify/catalogue.js'
import type { EventType } from '../voucherify/catalogue.js'
import { UsageError } from './usage-error.js'

/**
 * The event that a user means by its type or the documentation's name, in any case.
 * @throws UsageError that proposes the nearest one.
 */
export function knownEvent (name: string): EventType {
  const event = findEventByName(name)
  if (event !== undefined) return event.type
  const types = catalogue.map(({ type }) => type)
  const wanted = name.toLowerCase().replace(/^events\./, '')
  throw new UsageError(`${JSON.stringify(name)} is no event type that tierhook has a sample of: did you mean ${closest(wanted, types)}? ` +
    '"tierhook events" lists them all')
}
