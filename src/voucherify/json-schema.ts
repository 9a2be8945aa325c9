import type { TSchema } from '@sinclair/typebox'
import { catalogue, type CatalogueEntry } from './catalogue.js'
import { EnvelopeSchema } from './envelope.js'
import { createSchemaWriter, objectNames, type JsonSchema, type SchemaWriter } from './schema-writer.js'

/** A schema with its name: an event type, an event type followed by `.envelope`, or `envelope`. */
export interface NamedSchema {
  readonly name: string
  readonly schema: JsonSchema
}

interface Source {
  readonly name: string
  readonly title: string
  readonly schema: TSchema
}

// All keywords that are written have the same meaning in this draft.
const DRAFT = 'https://json-schema.org/draft/2020-12/schema'
const ID_PREFIX = 'urn:tierhook:schema:'

/** Returns the schemas of an event's body and of its envelope, each as a document. */
export function eventSchemas (event: CatalogueEntry): { readonly body: NamedSchema, readonly envelope: NamedSchema } {
  return { body: documentOf(bodyOf(event)), envelope: documentOf(envelopeOf(event)) }
}

/** Returns a document for each schema. */
export function allSchemas (): readonly NamedSchema[] {
  return sources().map(documentOf)
}

/** Returns all schemas in one document, under `$defs`. */
export function schemaBundle (): JsonSchema {
  const writer = createWriter()
  const events = sources().map(({ name, title, schema }) => [name, { title, ...writer.write(schema) }])
  return {
    $schema: DRAFT,
    $id: `${ID_PREFIX}all`,
    title: 'Events that tierhook has a schema for, each bare and in its envelope',
    $defs: { ...Object.fromEntries(events), ...writer.definitions() }
  }
}

function documentOf ({ name, title, schema }: Source): NamedSchema {
  const writer = createWriter()
  const written = writer.write(schema)
  return { name, schema: { $schema: DRAFT, $id: `${ID_PREFIX}${name}`, title, ...written, $defs: writer.definitions() } }
}

function createWriter (): SchemaWriter {
  return createSchemaWriter({ nameOf: schema => objectNames.get(schema), base: '#/$defs/' })
}

function sources (): readonly Source[] {
  const envelope = { name: 'envelope', title: 'Any event in its envelope', schema: EnvelopeSchema }
  return [envelope, ...catalogue.flatMap(event => [bodyOf(event), envelopeOf(event)])]
}

function bodyOf ({ type, bodySchema }: CatalogueEntry): Source {
  return { name: type, title: String(bodySchema.title), schema: bodySchema }
}

function envelopeOf ({ type, bodySchema, envelopeSchema }: CatalogueEntry): Source {
  return { name: `${type}.envelope`, title: `${String(bodySchema.title)}, in its envelope`, schema: envelopeSchema }
}
