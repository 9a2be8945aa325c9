import { KindGuard, type TSchema, type TUnion } from '@sinclair/typebox'
import { ValueErrorType, type ValueError } from '@sinclair/typebox/errors'
import type { Fault } from '../errors/problem.js'
import { messageOf } from './fault-message.js'
import { isJsonObject } from './parse-body.js'

/**
 * Converts TypeBox's errors to faults. Lazy, so a caller that stops reading saves the rest of the work. For a value that may be null, only the
 * faults of the other form are returned.
 */
export function * faultsOf (errors: Iterable<ValueError>): Generator<Fault> {
  for (const error of errors) {
    // After the faults of its parts, an intersection reports an error of its own, which adds nothing.
    if (error.type === ValueErrorType.Intersect) continue
    const annotation: unknown = error.schema['errorMessage']
    if (typeof annotation === 'string') yield { pointer: error.path, message: annotation }
    else if (KindGuard.IsUnion(error.schema) && error.type === ValueErrorType.Union) yield * unionFaults(error, error.schema)
    else yield { pointer: error.path, message: messageOf(error) }
  }
}

function * unionFaults (error: ValueError, union: TUnion): Generator<Fault> {
  const branches = union.anyOf.filter(branch => !KindGuard.IsNull(branch))
  // If only one form is an object, an object value was meant for that form.
  const meant = branches.length > 1 && isJsonObject(error.value) ? branches.filter(KindGuard.IsObject) : branches
  const [only] = meant
  if (branches.every(KindGuard.IsLiteral)) {
    yield { pointer: error.path, message: oneOfMessage(branches.map(branch => branch.const)) }
  } else if (meant.length === 1 && only !== undefined) {
    yield * branchFaults(error, union, only)
  } else {
    yield { pointer: error.path, message: eitherMessage(error, union, branches) }
  }
}

function * branchFaults (error: ValueError, union: TUnion, branch: TSchema): Generator<Fault> {
  for (const [index, errors] of error.errors.entries()) {
    if (union.anyOf[index] === branch) yield * faultsOf(errors)
  }
}

function oneOfMessage (literals: readonly unknown[]): string {
  const [only] = literals
  return literals.length === 1 ? `must be ${String(only)}` : `must be one of ${literals.join(', ')}`
}

function eitherMessage (error: ValueError, union: TUnion, branches: readonly TSchema[]): string {
  const messages = branches.flatMap(branch => {
    const [first] = branchFaults(error, union, branch)
    return first?.pointer === error.path ? [first.message.replace(/^must be /, '')] : []
  })
  return messages.length === 0 ? 'matches none of its forms' : `must be ${[...new Set(messages)].join(' or ')}`
}
