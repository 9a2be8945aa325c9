import type { TSchema } from '@sinclair/typebox'
import { catalogue, type CatalogueEntry } from './catalogue.js'
import { EnvelopeSchema } from './envelope.js'
import { documentedKeywords } from './objects/documented-keywords.js'

/** A JSON Schema, as JSON has it. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** A schema with a name that tells what it is of: an event type, one with `.envelope`, or `envelope`. */
export interface NamedSchema {
  readonly name: string
  readonly schema: JsonSchema
}

// All keywords that our schemas use mean the same in this draft: there are no tuples and no references.
const DRAFT = 'https://json-schema.org/draft/2020-12/schema'
const ID_PREFIX = 'urn:tierhook:schema:'

/** The envelope of any event, for consumers that know no event type. */
export function anyEnvelopeSchema (): NamedSchema {
  return named('envelope', 'Any event in its envelope', EnvelopeSchema)
}

/** The body of an event, and the envelope around it. */
export function eventSchemas ({ type, bodySchema, envelopeSchema }: CatalogueEntry): { readonly body: NamedSchema, readonly envelope: NamedSchema } {
  const title = String(bodySchema.title)
  return { body: named(type, title, bodySchema), envelope: named(`${type}.envelope`, `${title}, in its envelope`, envelopeSchema) }
}

/** Everything that there is a schema of. */
export function allSchemas (): readonly NamedSchema[] {
  return [anyEnvelopeSchema(), ...catalogue.flatMap(event => Object.values(eventSchemas(event)))]
}

/** All schemas in one JSON Schema document, under `$defs`. */
export function schemaBundle (): JsonSchema {
  return {
    $schema: DRAFT,
    $id: `${ID_PREFIX}all`,
    title: 'Events that tierhook has a schema for, each bare and in its envelope',
    $defs: Object.fromEntries(allSchemas().map(({ name, schema }) => [name, schema]))
  }
}

function named (name: string, title: string, schema: TSchema): NamedSchema {
  return { name, schema: { $schema: DRAFT, $id: `${ID_PREFIX}${name}`, title, ...toJson(schema, 'schema') } }
}

/**
 * The keywords of one schema, without those below it, as JSON Schema has them: what is our own becomes an annotation that every
 * reader knows.
 */
export function standardKeywords (schema: object): Record<string, unknown> {
  const { documentedKey: _key, documentedValues, errorMessage, ...keywords }: Record<string, unknown> = { ...schema }
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

/** In `properties` the keys are names and no keywords. */
function toJson (value: object, kind: 'schema' | 'properties'): Record<string, unknown> {
  const entries = Object.entries(kind === 'schema' ? standardKeywords(value) : value)
  return Object.fromEntries(entries.map(([key, child]: [string, unknown]) => [key, childToJson(child, kind === 'schema' && key === 'properties' ? 'properties' : 'schema')]))
}

function childToJson (child: unknown, kind: 'schema' | 'properties'): unknown {
  if (Array.isArray(child)) return child.map((each: unknown) => childToJson(each, kind))
  return typeof child === 'object' && child !== null ? toJson(child, kind) : child
}
