import { EnvelopeSchema, EventSourceSchema, SourceSchema } from './envelope.js'
import { documentedKeywords } from './objects/documented-keywords.js'
import * as objects from './objects/index.js'

/** A schema, or a part of one, as plain JSON. */
export type JsonSchema = Readonly<Record<string, unknown>>

export interface SchemaWriterOptions {
  /** Returns the name under which a schema is written once and referred to; `undefined` for a schema that is written in place. */
  readonly nameOf: (schema: object) => string | undefined
  /** The text before the name in a reference. */
  readonly base: string
  /** Returns keywords to add to the schema of this name. */
  readonly annotate?: (name: string) => JsonSchema
}

/** Writes the schemas of one document in the keywords of JSON Schema. */
export interface SchemaWriter {
  /** Returns a schema as it appears in the document. A schema with a name becomes a reference. */
  readonly refer: (schema: object) => JsonSchema
  /** Returns the schema itself. Schemas with a name inside it become references. */
  readonly write: (schema: object) => JsonSchema
  /** Returns all schemas that were referred to, directly or indirectly, by name. */
  readonly definitions: () => Readonly<Record<string, JsonSchema>>
}

/** The names of Voucherify's objects, by schema. */
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
      // Added before it is complete, so that definitions are in the order in which a person reads them.
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

/** Converts our own keywords to annotations that every reader knows. Drops `$id`, which names one of our schemas and is not an address. */
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
