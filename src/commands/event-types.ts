import { closest, distance } from 'fastest-levenshtein'
import { catalogue, findEventByName } from '../voucherify/catalogue.js'
import { UsageError } from './command-line.js'

/** A name that differs from a known one by at most this many letters is taken for a typo. */
const typoLetters = 3
const dotted = /^[a-z0-9_]+(?:\.[a-z0-9_]+)+$/

/**
 * Returns the event type for a dotted name or a name of the documentation, in any case. The type may be outside the catalogue.
 * @param opaque whether to accept a name that looks like a typo as it is
 * @throws UsageError that suggests the nearest type
 */
export function eventType (name: string, { opaque }: { readonly opaque: boolean }): string {
  const known = findEventByName(name)
  if (known !== undefined) return known.type
  const wanted = dottedName(name)
  const nearest = nearestEventType(name)
  if (dotted.test(wanted) && (opaque || distance(wanted, nearest) > typoLetters)) return wanted
  throw new UsageError(`${JSON.stringify(name)} is not an event type that tierhook has a sample of: did you mean ${nearest}? ` +
    `"tierhook events" lists them all${dotted.test(wanted) ? '; --opaque takes the name as it is' : ''}`)
}

/** Returns the catalogue's event type nearest to a mistyped name. */
export function nearestEventType (name: string): string {
  const types = catalogue.map(({ type }) => type)
  const wanted = dottedName(name)
  // A user who writes a part of a name means the event type that contains it.
  return types.find(type => type.includes(wanted)) ?? closest(wanted, types)
}

function dottedName (name: string): string {
  return name.toLowerCase().replace(/^events\./, '')
}
