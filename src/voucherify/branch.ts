import { KindGuard, type TLiteralValue, type TObject, type TUnion } from '@sinclair/typebox'

/** The literals that each telling key may have. A telling key is one that has a literal in every branch, as `type` has. */
export type Discriminators = ReadonlyMap<string, readonly TLiteralValue[]>

interface Score {
  readonly branch: TObject
  readonly mismatches: number
  readonly known: number
  readonly missing: number
  readonly matches: number
}

/** The branches of a union that are objects. */
export function objectBranches (union: TUnion): readonly TObject[] {
  return union.anyOf.filter(branch => KindGuard.IsObject(branch))
}

/** The keys that tell the branches of a union apart, with all their literals in order; empty where there is none. */
export function discriminatorsOf (branches: readonly TObject[]): Discriminators {
  const [first] = branches
  const discriminators = new Map<string, readonly TLiteralValue[]>()
  for (const key of Object.keys(first?.properties ?? {})) {
    const literals = branches.map(branch => branch.properties[key]).filter(property => KindGuard.IsLiteral(property))
    if (literals.length === branches.length) discriminators.set(key, [...new Set(literals.map(literal => literal.const))])
  }
  return discriminators
}

/**
 * The branch that a value was meant for: the one whose telling keys it has, and where it has no object or array in a key
 * that must be null; of several, the one that knows most of its keys, then the one of which it lacks fewest, then the one
 * with which it shares most literals, then the first. Only the schema and the value's own keys are looked at, so the
 * value's size does not matter.
 */
export function chooseBranch (
  branches: readonly TObject[], discriminators: Discriminators, value: Record<string, unknown>
): TObject | undefined {
  const [best] = branches.map(branch => scoreOf(branch, discriminators, value)).sort((a, b) =>
    a.mismatches - b.mismatches || b.known - a.known || a.missing - b.missing || b.matches - a.matches)
  return best?.branch
}

function scoreOf (branch: TObject, discriminators: Discriminators, value: Record<string, unknown>): Score {
  const keys = Object.keys(branch.properties).filter(key => Object.hasOwn(value, key))
  const missing = branch.required?.filter(key => !Object.hasOwn(value, key)).length ?? 0
  let mismatches = 0
  let matches = 0
  for (const key of keys) {
    const property = branch.properties[key]
    if (holdsLiteral(property, value[key])) {
      matches += 1
    } else if (discriminators.has(key)) {
      mismatches += 1
    } else if (KindGuard.IsNull(property) && typeof value[key] === 'object' && value[key] !== null) {
      mismatches += 1
    }
  }
  return { branch, mismatches, known: keys.length, missing, matches }
}

/** Whether a property is this literal, also where it might be null instead. */
function holdsLiteral (property: unknown, value: unknown): boolean {
  const forms = KindGuard.IsUnion(property) ? property.anyOf.filter(form => !KindGuard.IsNull(form)) : [property]
  return forms.length === 1 && forms.every(form => KindGuard.IsLiteral(form) && form.const === value)
}
