import { Type, type TSchema } from '@sinclair/typebox'
import type { FastifySchemaCompiler } from 'fastify'
import type { Fault } from '../errors/problem.js'
import { catalogue } from '../voucherify/catalogue.js'
import { EnvelopeSchema } from '../voucherify/envelope.js'
import { readEnvelope } from '../voucherify/identify.js'
import { judge, type Expected } from '../voucherify/judge.js'
import { isJsonObject } from '../voucherify/parse-body.js'

/** Where the schema of a body keeps what it was made from. */
const expectation = Symbol('expectation')

interface WebhookSchema extends TSchema {
  readonly [expectation]: Expected
}

/**
 * The schema of all that a URL takes. Its static type is `unknown`, and rightly so: a signed body is accepted whatever validation says
 * of it, so nobody may rely on its form.
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

/** The answer to a webhook that is accepted (202) or stored already (200). */
export const AcceptedSchema = Type.Object({
  message: Type.Literal('Webhook accepted'),
  id: Type.String({ description: 'The id of the delivery; for a duplicate, of the first one.' }),
  verdict: Type.Union([Type.Literal('valid'), Type.Literal('invalid'), Type.Literal('unvalidated')], {
    description: 'What validation said. Accepted events that are `invalid` are quarantined, unless INVALID_EVENTS is forward.'
  }),
  duplicate: Type.Optional(Type.Literal(true, { description: 'There when the event is stored already.' }))
}, { $id: 'Accepted', additionalProperties: false })

/** What validation says of a body that does not match. */
export class InvalidBody extends Error {
  override readonly name = 'InvalidBody'
  readonly faults: readonly Fault[]

  constructor (faults: readonly Fault[]) {
    super('The body does not match its schema')
    this.faults = faults
  }
}

/**
 * Compiles the schemas that `webhookSchema` makes. Of all that stand in the union, a body is validated by the schema of the event that it
 * is, so that its own faults are told, and not that it matches none of thirty. The error is an {InvalidBody}.
 */
export const compileWebhookSchema: FastifySchemaCompiler<WebhookSchema> = ({ schema }) => {
  const expected = schema[expectation]
  return (body) => {
    const faults = isJsonObject(body) ? judge(body, readEnvelope(body), expected).faults : [{ pointer: '', message: 'must be an object' }]
    return faults.length === 0 || { error: new InvalidBody(faults) }
  }
}
