import { Type, type Static } from '@sinclair/typebox'
import { NeedSchema } from './needs.js'

const MaybeCount = (description: string) => Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], { description: `${description}; null where the store cannot tell.` })

export const StatusSchema = Type.Object({
  version: Type.String(),
  startedAt: Type.String({ format: 'date-time' }),
  ready: Type.Boolean({ description: 'Whether webhooks should be sent here now, as /health/ready says.' }),
  reasons: Type.Array(Type.String(), { description: 'Why not.' }),
  lastSequence: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], {
    description: 'The last delivery\'s place in the order; 0 where there has been none, null where the store cannot be read.'
  }),
  storeBytes: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], { description: 'The size of the store\'s files; null where it is not known.' }),
  diskFreeBytes: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], { description: 'What is free on the disk of the store; null where it is not known.' }),
  needs: Type.Array(NeedSchema, { description: 'What needs an operator, the most urgent first; empty where all is known to be well.' }),
  counts: Type.Object({
    backlog: MaybeCount('Deliveries that forwarders have yet to pass on'),
    deadLetters: MaybeCount('Dead letters of all forwarders'),
    quarantined: MaybeCount('Deliveries in quarantine')
  }, { additionalProperties: false })
}, { $id: 'Status', additionalProperties: false, description: 'How the service is, in a few values.' })

export type Status = Static<typeof StatusSchema>
