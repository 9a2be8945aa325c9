import type { TSchema } from '@sinclair/typebox'
import { catalogue } from '../voucherify/catalogue.js'
import { EnvelopeSchema, EventSourceSchema, SourceSchema } from '../voucherify/envelope.js'
import { standardKeywords } from '../voucherify/json-schema.js'
import * as objects from '../voucherify/objects/index.js'
import { sampleEnvelope, sampleEvent } from '../voucherify/samples.js'

/** The schemas of an API description, each written once and referred to by its name. */
export interface Components {
  /** A schema as it stands in a description: what has a name is referred to. */
  readonly refer: (schema: TSchema) => object
  /** Every schema that was referred to, directly or by another. */
  readonly schemas: () => Readonly<Record<string, object>>
}

/** The same each time, so that a description changes only where the program does. */
const SAMPLE = { index: 0, seed: 'tierhook', now: new Date('2026-01-31T08:00:00Z') }

/** Names what the sender sends; our own schemas say their names themselves. */
export function createComponents (): Components {
  const names = new Map<unknown, string>([[EnvelopeSchema, 'Envelope'], [SourceSchema, 'Source'], [EventSourceSchema, 'EventSource']])
  const examples = new Map<string, unknown>()
  for (const [name, schema] of Object.entries(objects)) names.set(schema, name.replace(/Schema$/, ''))
  for (const { type, bodySchema, envelopeSchema } of catalogue) {
    names.set(bodySchema, type)
    names.set(envelopeSchema, `${type}.envelope`)
    examples.set(type, sampleEvent(type, SAMPLE))
    examples.set(`${type}.envelope`, sampleEnvelope(type, SAMPLE))
  }
  const schemas = new Map<string, object>()

  function nameOf (schema: object): string | undefined {
    const id = '$id' in schema ? schema.$id : undefined
    return names.get(schema) ?? (typeof id === 'string' ? id : undefined)
  }

  function refer (schema: object): object {
    const name = nameOf(schema)
    if (name === undefined) return copy(schema)
    if (!schemas.has(name)) {
      // Taken before it is filled, for the order in which a person reads.
      const written: Record<string, unknown> = {}
      schemas.set(name, written)
      Object.assign(written, copy(schema), examples.has(name) ? { examples: [examples.get(name)] } : {})
    }
    return { $ref: `#/components/schemas/${name}` }
  }

  function copy (schema: object): object {
    return Object.fromEntries(Object.entries(standardKeywords(schema)).filter(([key]) => key !== '$id').map(([key, value]: [string, unknown]) => [key, copyValue(value)]))
  }

  function copyValue (value: unknown): unknown {
    if (Array.isArray(value)) return value.map(copyValue)
    return typeof value === 'object' && value !== null ? refer(value) : value
  }

  return { refer, schemas: () => Object.fromEntries(schemas) }
}
