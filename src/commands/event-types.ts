import { closest, distance } from 'fastest-levenshtein'
import { catalogue, findEventByName } from '../voucherify/catalogue.js'
import { UsageError } from './command-line.js'

/** A name that differs from a known one by so few letters was meant to be that one. */
const typoLetters = 3
const dotted = /^[a-z0-9_]+(?:\.[a-z0-9_]+)+$/

/**
 * The event type that a user means by its dotted name or the documentation's, in any case: one of the catalogue, or
 * another one that Voucherify sends.
 * @param opaque whether a name that looks like a mistyped one is meant as it is
 * @throws UsageError that proposes the nearest one.
 */
export function eventType (name: string, { opaque }: { readonly opaque: boolean }): string {
  const known = findEventByName(name)
  if (known !== undefined) return known.type
  const wanted = dottedName(name)
  const nearest = nearestEventType(name)
  if (dotted.test(wanted) && (opaque || distance(wanted, nearest) > typoLetters)) return wanted
  throw new UsageError(`${JSON.stringify(name)} is no event type that tierhook has a sample of: did you mean ${nearest}? ` +
    `"tierhook events" lists them all${dotted.test(wanted) ? '; --opaque takes the name as it is' : ''}`)
}

/** The event type of the catalogue that a mistyped name looks like. */
export function nearestEventType (name: string): string {
  const types = catalogue.map(({ type }) => type)
  const wanted = dottedName(name)
  // Whoever writes a part of a name means the event that has it.
  return types.find(type => type.includes(wanted)) ?? closest(wanted, types)
}

function dottedName (name: string): string {
  return name.toLowerCase().replace(/^events\./, '')
}
