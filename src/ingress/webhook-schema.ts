import { Type, type TSchema } from '@sinclair/typebox'
import type { FastifySchemaCompiler } from 'fastify'
import type { Fault } from '../errors/problem.js'
import { catalogue } from '../voucherify/catalogue.js'
import { EnvelopeSchema } from '../voucherify/envelope.js'
import { readEnvelope } from '../voucherify/identify.js'
import { judge, type Expected } from '../voucherify/judge.js'
import { isJsonObject } from '../voucherify/parse-body.js'

/** The key under which a body's schema keeps what it was made from. */
const expectation = Symbol('expectation')

interface WebhookSchema extends TSchema {
  readonly [expectation]: Expected
}

/**
 * Makes the schema of everything that a URL accepts. Its static type is `unknown`, because a signed body is accepted whatever validation finds,
 * so no code may rely on its shape.
 */
export function webhookSchema (expected: Expected): TSchema {
  const schema: WebhookSchema = { ...anyOf(expected), [expectation]: expected }
  return schema
}

function anyOf (expected: Expected): TSchema {
  switch (expected.kind) {
    case 'any': return Type.Union([...catalogue.map(({ envelopeSchema }) => envelopeSchema), EnvelopeSchema])
    case 'event': return Type.Union([expected.event.envelopeSchema, expected.event.bodySchema])
    case 'custom': return Type.Object({})
  }
}

/** The answer to a webhook that is accepted (202) or was stored before (200). */
export const AcceptedSchema = Type.Object({
  message: Type.Literal('Webhook accepted'),
  id: Type.String({ description: 'The id of the delivery; for a duplicate, of the first one.' }),
  verdict: Type.Union([Type.Literal('valid'), Type.Literal('invalid'), Type.Literal('unvalidated')], {
    description: 'The result of the validation. Accepted events that are `invalid` are quarantined, unless INVALID_EVENTS is forward.'
  }),
  duplicate: Type.Optional(Type.Literal(true, { description: 'Present if the event was stored before.' }))
}, { $id: 'Accepted', additionalProperties: false })

/** The faults that validation found in a body. */
export class InvalidBody extends Error {
  override readonly name = 'InvalidBody'
  readonly faults: readonly Fault[]

  constructor (faults: readonly Fault[]) {
    super('The body does not match its schema')
    this.faults = faults
  }
}

/**
 * Compiles a schema made by `webhookSchema`. The body is validated against the schema of its own event only, so that the faults are about that
 * schema, and not about all thirty in the union. The error is an {InvalidBody}.
 */
export const compileWebhookSchema: FastifySchemaCompiler<WebhookSchema> = ({ schema }) => {
  const expected = schema[expectation]
  return (body) => {
    const faults = isJsonObject(body) ? judge(body, readEnvelope(body), expected).faults : [{ pointer: '', message: 'must be an object' }]
    return faults.length === 0 || { error: new InvalidBody(faults) }
  }
}
