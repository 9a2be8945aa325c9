import { Type } from '@sinclair/typebox'
import { problems, type ProblemCode } from '../errors.js'

/** The answer to a webhook that is accepted (202) or held already (200). */
export const AcceptedSchema = Type.Object({
  message: Type.Literal('Webhook accepted'),
  id: Type.String({ description: 'The id of the delivery; for a duplicate, of the first one.' }),
  verdict: Type.Union([Type.Literal('valid'), Type.Literal('invalid'), Type.Literal('unvalidated')], {
    description: 'What validation said. Accepted events that are `invalid` are held in quarantine, unless INVALID_EVENTS is forward.'
  }),
  duplicate: Type.Optional(Type.Literal(true, { description: 'There when the event is held already.' }))
}, { $id: 'Accepted', additionalProperties: false })

/** Problem details (RFC 9457). */
export const ProblemSchema = Type.Object({
  type: Type.String({ description: 'Identifies the kind of problem.' }),
  title: Type.String(),
  status: Type.Integer({ minimum: 400, maximum: 599 }),
  detail: Type.String(),
  code: Type.Union(codes().map((code) => Type.Literal(code)), { description: 'Stable; to be matched by programs.' }),
  errors: Type.Optional(Type.Array(Type.Object({
    pointer: Type.String({ description: 'A JSON pointer (RFC 6901) from the root of the body.' }),
    message: Type.String()
  }, { additionalProperties: false }), { description: 'Each way in which the body differs from its schema.' }))
}, { $id: 'Problem', additionalProperties: false })

function codes (): ProblemCode[] {
  return Object.keys(problems) as ProblemCode[]
}
