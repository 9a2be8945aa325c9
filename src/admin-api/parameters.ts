import { KindGuard, type TObject, type TSchema } from '@sinclair/typebox'
import type { FastifySchemaCompiler } from 'fastify'
import { Problem, type Fault } from '../errors/problem.js'
import { compileValidator } from '../voucherify/validate.js'

const words: Readonly<Record<string, string>> = { body: 'body', querystring: 'query', params: 'path', headers: 'headers' }

/**
 * Compiles a validator for a part of a request. It changes nothing except integers of a query: a query has only text, so their digits become
 * numbers. Faults name the parameter.
 */
export const compileParameters: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const faultsOf = compileValidator(schema)
  const read = httpPart === 'querystring' && KindGuard.IsObject(schema) ? withNumbers(schema) : (value: unknown) => value
  return (given: unknown) => {
    const value = read(given)
    const faults = faultsOf(value)
    return faults.length === 0 ? { value } : { error: wrong(words[httpPart ?? ''] ?? 'request', faults) }
  }
}

function withNumbers ({ properties }: TObject): (query: unknown) => unknown {
  const numbers = Object.keys(properties).filter((name) => {
    const schema = properties[name]
    return schema !== undefined && KindGuard.IsInteger(schema)
  })
  return (query) => {
    if (typeof query !== 'object' || query === null) return query
    const entries = Object.entries(query).map(([name, value]: [string, unknown]) => {
      return [name, numbers.includes(name) && typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value]
    })
    return Object.fromEntries(entries)
  }
}

function wrong (part: string, faults: readonly Fault[]): Problem {
  const told = faults.map(({ pointer, message }) => `${pointer === '' ? `the ${part}` : pointer.slice(1)} ${message}`)
  return new Problem('PARAMETERS_WRONG', { detail: `In the ${part}: ${told.join('; ')}.`, faults })
}
