import type { Operator } from '../delivery/operator.js'
import { UsageError } from './command-line.js'

interface FoundDelivery {
  readonly sequence: number
  readonly id: string
}

/**
 * Finds the delivery by its id or an unambiguous prefix of it.
 * @throws UsageError if there is none, or more than one
 */
export async function findDelivery (operator: Operator, text: string): Promise<FoundDelivery> {
  if (!/^[0-9a-z-]+$/i.test(text)) throw new UsageError(`${JSON.stringify(text)} is not a delivery's id: ids are letters, digits and hyphens, as "tierhook deliveries" lists them`)
  const found = await operator.find(text)
  switch (found.status) {
    case 'found':
      return found
    case 'ambiguous':
      throw new UsageError(`${text} is the beginning of more than one delivery's id: write more of it, such as\n  ${found.ids.join('\n  ')}`)
    case 'unknown':
      throw new UsageError(`There is no delivery whose id is, or begins with, ${text}: "tierhook deliveries" lists them, and retention may have removed it`)
  }
}

/**
 * Finds deliveries by their ids or prefixes: each once, in the order given.
 * @throws UsageError if one of them matches no delivery, or more than one
 */
export async function findDeliveries (operator: Operator, texts: readonly string[]): Promise<readonly FoundDelivery[]> {
  const found = new Map<number, FoundDelivery>()
  for (const text of texts) {
    const { sequence, id } = await findDelivery(operator, text)
    found.set(sequence, { sequence, id })
  }
  return [...found.values()]
}
