import type { TSchema } from '@sinclair/typebox'
import { TypeCompiler, type ValueError } from '@sinclair/typebox/compiler'
import type { Fault } from '../errors/problem.js'
import { faultsOf } from './faults.js'

export interface ValidatorOptions {
  /** The most faults that are returned, at least 1; 50 if absent. */
  readonly limit?: number
}

/** Returns the faults of a value. No faults mean that the value is valid. */
export type Validator = (value: unknown) => readonly Fault[]

const POINTER_LIMIT = 512

/**
 * Compiles a schema once, for many values. A validator changes nothing in the value. It returns all faults up to the limit, one per place at
 * most, and no message contains the value. Pointers contain keys, so a pointer longer than 512 characters is cut back to the nearest
 * ancestor that fits.
 * @throws TypeBox's error for a schema that TypeBox does not know
 */
export function compileValidator (schema: TSchema, { limit = 50 }: ValidatorOptions = {}): Validator {
  const compiled = TypeCompiler.Compile(schema)
  const most = Math.max(1, limit)
  return value => compiled.Check(value) ? [] : collect(compiled.Errors(value), most)
}

const validators = new WeakMap<TSchema, Validator>()

/** Validates by a schema, which is compiled on first use. Compiling all would take a tenth of the start, and few senders use all of them. */
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
    // The first fault at a place is the cause. A missing key is first reported as missing, and then as not a string.
    if (!faults.has(placed.pointer)) faults.set(placed.pointer, placed)
    if (faults.size === limit) break
  }
  // The check has just failed, but an empty list would mean valid.
  return faults.size > 0 ? [...faults.values()] : [{ pointer: '', message: 'does not match its schema' }]
}

function atAncestor (pointer: string): Fault {
  const end = pointer.lastIndexOf('/', POINTER_LIMIT)
  return { pointer: pointer.slice(0, end), message: 'holds a fault under a key that is too long to tell' }
}
