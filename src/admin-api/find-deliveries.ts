import type { Discarded, DiscardPlace } from '../delivery/operator-requests.js'
import type { Operator } from '../delivery/operator.js'
import { Problem } from '../errors/problem.js'

interface FoundDelivery {
  readonly sequence: number
  readonly id: string
}

/**
 * Finds a delivery by its id or an unambiguous prefix of it.
 * @throws {Problem} DELIVERY_UNKNOWN or DELIVERY_AMBIGUOUS
 */
export async function findDelivery (operator: Operator, text: string): Promise<FoundDelivery> {
  const found = await operator.find(text)
  switch (found.status) {
    case 'found': return found
    case 'unknown': throw new Problem('DELIVERY_UNKNOWN', { detail: `There is no delivery whose id is, or begins with, ${JSON.stringify(text)}. Retention may have removed it.` })
    case 'ambiguous': throw new Problem('DELIVERY_AMBIGUOUS', { detail: `Several ids begin with ${JSON.stringify(text)}. Write more of the id: ${found.ids.join(', ')}.` })
  }
}

/**
 * Finds deliveries by their ids or prefixes: each once, oldest first.
 * @throws {Problem} DELIVERY_UNKNOWN or DELIVERY_AMBIGUOUS, for the first that is not found
 */
export async function findDeliveries (operator: Operator, texts: readonly string[]): Promise<readonly FoundDelivery[]> {
  const found = new Map<number, string>()
  for (const text of texts) {
    const { sequence, id } = await findDelivery(operator, text)
    found.set(sequence, id)
  }
  return [...found].map(([sequence, id]) => ({ sequence, id })).sort((a, b) => a.sequence - b.sequence)
}

/** Discards deliveries and returns the result for each. `gone` has the ids of those discarded. */
export async function discardDeliveries (operator: Operator, ids: readonly string[], place: DiscardPlace): Promise<{ readonly discarded: Array<{ id: string, status: Discarded['status'] }>, readonly gone: string[] }> {
  const found = await findDeliveries(operator, ids)
  const idOf = new Map(found.map(({ sequence, id }) => [sequence, id]))
  const results = await operator.discard({ ...place, sequences: [...idOf.keys()] })
  const discarded = results.map(({ sequence, status }) => ({ id: idOf.get(sequence) ?? '', status }))
  return { discarded, gone: discarded.filter(({ status }) => status === 'discarded').map(({ id }) => id) }
}

/**
 * Returns the given forwarders without repeats, or all that the store knows if none are given.
 * @throws {Problem} FORWARDER_UNKNOWN
 */
export async function knownForwarders (operator: Operator, names: readonly string[] | undefined): Promise<readonly string[]> {
  const known = (await operator.forwarders()).map(({ name }) => name)
  const unknown = names?.find((name) => !known.includes(name))
  if (unknown !== undefined) throw new Problem('FORWARDER_UNKNOWN', { detail: `The store knows no forwarder ${JSON.stringify(unknown)}. It knows ${known.join(', ') || 'none yet'}.` })
  return names === undefined ? known : [...new Set(names)]
}
