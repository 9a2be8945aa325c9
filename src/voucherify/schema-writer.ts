import { EnvelopeSchema, EventSourceSchema, SourceSchema } from './envelope.js'
import { documentedKeywords } from './objects/documented-keywords.js'
import * as objects from './objects/index.js'

/** A schema or a part of one, as JSON has it. */
export type JsonSchema = Readonly<Record<string, unknown>>

export interface SchemaWriterOptions {
  /** The name under which a schema is written once and referred to; `undefined` where it is written in place. */
  readonly nameOf: (schema: object) => string | undefined
  /** What stands before the name in a reference. */
  readonly base: string
  /** Keywords that are added to what has this name. */
  readonly annotate?: (name: string) => JsonSchema
}

/** Writes the schemas of one document in the keywords of JSON Schema. */
export interface SchemaWriter {
  /** A schema as it stands in the document: what has a name is referred to. */
  readonly refer: (schema: object) => JsonSchema
  /** The schema itself; what has a name in it is referred to. */
  readonly write: (schema: object) => JsonSchema
  /** All that was referred to, directly or by another, by name. */
  readonly definitions: () => Readonly<Record<string, JsonSchema>>
}

/** What the objects of Voucherify's are called: by their schema. */
export const objectNames: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  [EnvelopeSchema, 'Envelope'], [SourceSchema, 'Source'], [EventSourceSchema, 'EventSource'],
  ...Object.entries(objects).map(([name, schema]) => [schema, name.replace(/Schema$/, '')] as const)
])

export function createSchemaWriter ({ nameOf, base, annotate = () => ({}) }: SchemaWriterOptions): SchemaWriter {
  const definitions = new Map<string, JsonSchema>()

  function refer (schema: object): JsonSchema {
    const name = nameOf(schema)
    if (name === undefined) return write(schema)
    if (!definitions.has(name)) {
      // Taken before it is filled, for the order in which a person reads.
      const written: Record<string, unknown> = {}
      definitions.set(name, written)
      Object.assign(written, write(schema), annotate(name))
    }
    return { $ref: `${base}${name}` }
  }

  function write (schema: object): JsonSchema {
    return mapped(standardKeywords(schema), (value, key) => key === 'properties' && isObject(value) ? mapped(value, written) : written(value))
  }

  function written (value: unknown): unknown {
    if (Array.isArray(value)) return value.map(written)
    return isObject(value) ? refer(value) : value
  }

  return { refer, write, definitions: () => Object.fromEntries(definitions) }
}

/** What is our own becomes an annotation that every reader knows. An `$id` is a name among our schemas, and no address. */
function standardKeywords (schema: object): object {
  const { $id: _id, documentedKey: _key, documentedValues, errorMessage, ...keywords }: Record<string, unknown> = { ...schema }
  const comments = [
    ...typeof errorMessage === 'string' ? [errorMessage] : [],
    ...documentedKeywords(schema).documentedKey === undefined ? [] : ['The documents require this key.']
  ]
  return {
    ...keywords,
    ...documentedValues === undefined ? {} : { examples: documentedValues },
    ...comments.length === 0 ? {} : { $comment: comments.join(' ') }
  }
}

function mapped (object: object, map: (value: unknown, key: string) => unknown): JsonSchema {
  return Object.fromEntries(Object.entries(object).map(([key, value]: [string, unknown]) => [key, map(value, key)]))
}

function isObject (value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
