import { Type, type Static } from '@sinclair/typebox'
import { NeedSchema } from './needs.js'

const MaybeCount = (description: string) => Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], { description: `${description}; null if the store cannot be read.` })

export const StatusSchema = Type.Object({
  version: Type.String(),
  startedAt: Type.String({ format: 'date-time' }),
  ready: Type.Boolean({ description: 'Whether webhooks should be sent here now, as /health/ready says.' }),
  reasons: Type.Array(Type.String(), { description: 'Why it is not ready; empty if it is.' }),
  lastSequence: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], {
    description: 'The last delivery\'s sequence; 0 if there has been none, null if the store cannot be read.'
  }),
  storeBytes: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], { description: 'The size of the store\'s files; null if unknown.' }),
  diskFreeBytes: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], { description: 'Free bytes on the disk of the store; null if unknown.' }),
  needs: Type.Array(NeedSchema, { description: 'What needs an operator, most urgent first; empty only if everything is known to be well.' }),
  counts: Type.Object({
    backlog: MaybeCount('Deliveries that forwarders have not finished'),
    deadLetters: MaybeCount('Dead letters of all forwarders'),
    quarantined: MaybeCount('Deliveries in quarantine')
  }, { additionalProperties: false })
}, { $id: 'Status', additionalProperties: false, description: 'The state of the service.' })

export type Status = Static<typeof StatusSchema>
