import { closest } from 'fastest-levenshtein'
import type { KnownForwarder } from '../delivery/operator-requests.js'
import type { Operator } from '../delivery/operator.js'
import { UsageError } from './command-line.js'

/**
 * Returns the store's forwarder of this name.
 * @throws UsageError that suggests the nearest name
 */
export async function knownForwarder (operator: Operator, name: string): Promise<KnownForwarder> {
  const known = await operator.forwarders()
  const found = known.find(forwarder => forwarder.name === name)
  if (found !== undefined) return found
  const names = known.map(forwarder => forwarder.name)
  const hint = names.length === 0 ? 'it knows none yet, because no service has run on it' : `did you mean ${closest(name, names)}? It knows ${names.join(', ')}`
  throw new UsageError(`The store knows no forwarder ${JSON.stringify(name)}: ${hint}`)
}
