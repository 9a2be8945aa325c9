import type { TSchema } from '@sinclair/typebox'
import { catalogue } from '../voucherify/catalogue.js'
import { sampleEnvelope, sampleEvent } from '../voucherify/samples.js'
import { createSchemaWriter, objectNames } from '../voucherify/schema-writer.js'

/** The schemas of an API description. Each is written once and referred to by name. */
export interface Components {
  /** Returns the schema for a description, with references in place of named schemas. */
  readonly refer: (schema: TSchema) => object
  /** Every schema that was referred to, directly or through another schema. */
  readonly schemas: () => Readonly<Record<string, object>>
}

/** Fixed, so that the description changes only if the program does. */
const SAMPLE = { index: 0, seed: 'tierhook', now: new Date('2026-01-31T08:00:00Z') }

/** Names the schemas of Voucherify's events. tierhook's own schemas have a name in `$id`. */
export function createComponents (): Components {
  const names = new Map(objectNames)
  const examples = new Map<string, unknown>()
  for (const { type, bodySchema, envelopeSchema } of catalogue) {
    names.set(bodySchema, type)
    names.set(envelopeSchema, `${type}.envelope`)
    examples.set(type, sampleEvent(type, SAMPLE))
    examples.set(`${type}.envelope`, sampleEnvelope(type, SAMPLE))
  }
  const writer = createSchemaWriter({
    nameOf: schema => names.get(schema) ?? ('$id' in schema && typeof schema.$id === 'string' ? schema.$id : undefined),
    base: '#/components/schemas/',
    annotate: name => examples.has(name) ? { examples: [examples.get(name)] } : {}
  })
  return { refer: writer.refer, schemas: writer.definitions }
}
