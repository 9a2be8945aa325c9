import type { TSchema } from '@sinclair/typebox'
import { TypeCompiler, type ValueError } from '@sinclair/typebox/compiler'
import type { Fault } from '../errors/problem.js'
import { faultsOf } from './faults.js'

export interface ValidatorOptions {
  /** The most faults that are told, at least 1; 50 where absent. */
  readonly limit?: number
}

/** Tells how a value differs from a schema; no faults means that it is valid. */
export type Validator = (value: unknown) => readonly Fault[]

const POINTER_LIMIT = 512

/**
 * Compiles a schema once, for many values. A validator changes nothing in the value, reports all faults at once up to the
 * limit, one at most for a place, and never puts the value into a message. Keys do come into pointers, so a pointer longer
 * than 512 characters is cut back to the nearest ancestor that fits. Throws what TypeBox throws for a schema that it
 * does not know.
 */
export function compileValidator (schema: TSchema, { limit = 50 }: ValidatorOptions = {}): Validator {
  const compiled = TypeCompiler.Compile(schema)
  const most = Math.max(1, limit)
  return value => compiled.Check(value) ? [] : collect(compiled.Errors(value), most)
}

const validators = new WeakMap<TSchema, Validator>()

/** Validates by a schema that is compiled when it is needed first: all of them are a tenth of the start, and few senders use all. */
export function validate (schema: TSchema, value: unknown): readonly Fault[] {
  let validator = validators.get(schema)
  if (validator === undefined) {
    validator = compileValidator(schema)
    validators.set(schema, validator)
  }
  return validator(value)
}

function collect (errors: Iterable<ValueError>, limit: number): readonly Fault[] {
  const faults = new Map<string, Fault>()
  for (const fault of faultsOf(errors)) {
    const placed = fault.pointer.length > POINTER_LIMIT ? atAncestor(fault.pointer) : fault
    // The first fault at a place is the cause: a missing key is told as missing before it is told as no string.
    if (!faults.has(placed.pointer)) faults.set(placed.pointer, placed)
    if (faults.size === limit) break
  }
  // No faults would read as valid, which the check has just denied.
  return faults.size > 0 ? [...faults.values()] : [{ pointer: '', message: 'does not match its schema' }]
}

function atAncestor (pointer: string): Fault {
  const end = pointer.lastIndexOf('/', POINTER_LIMIT)
  return { pointer: pointer.slice(0, end), message: 'holds a fault under a key that is too long to tell' }
}
