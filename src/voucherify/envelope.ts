import { Type, type Static, type TLiteral, type TSchema, type TString } from '@sinclair/typebox'
import { dateTime } from './objects/date-time.js'
import { anyObject, oneOf, optional } from './objects/optional.js'

/** The source of a send-out: a webhook of the project settings, or a distribution. */
export const SourceSchema = Type.Object({
  id: optional(Type.String({ description: 'The webhook, `wh_…`, or the distribution, `distr_…`' })),
  object: optional(oneOf(['webhook', 'distribution'], 'Which of the two it is')),
  target_url: optional(Type.String({ description: 'The URL that the send-out went to' }))
}, { description: 'Where the send-out came from' })

/** The cause of an event: a user, an API key or Voucherify itself. */
export const EventSourceSchema = Type.Object({
  channel: optional(oneOf(['USER_PORTAL', 'API', 'CLIENT_API', 'INTERNAL'], 'The way that the cause came')),
  user: optional(Type.Object({
    id: optional(Type.String({ description: 'The person' }))
  }, { description: 'The person, where there is one' })),
  api_key: optional(Type.Object({
    name: optional(Type.String({ description: 'What the team calls the key' })),
    app_id: optional(Type.String({ description: 'The key\'s public half' }))
  }, { description: 'The API key, where there is one' }))
}, { description: 'Who or what caused the event' })

function eventOf<T extends TSchema> (type: T) {
  return Type.Object({
    id: optional(Type.String({ description: 'What happened, `ev…_…`: the same for every send-out of it' })),
    type,
    created_at: optional(dateTime('When it happened')),
    entity_id: optional(Type.String({ description: 'What it happened to' })),
    group_id: optional(Type.String({ description: 'The request that caused it, `v-…`' })),
    event_source: optional(EventSourceSchema)
  }, { description: 'What happened' })
}

// Only `data` and `event.type` are required. The documentation marks no key as required, and no genuine webhook must fail for an unused key.
function envelope<D extends TSchema, T extends TSchema> (data: D, type: T) {
  return Type.Object({
    id: optional(Type.String({ description: 'The send-out, `whs_…`' })),
    project_id: optional(Type.String({ description: 'The project, `proj_…`' })),
    created_at: optional(dateTime('When the send-out was made')),
    type: optional(Type.String({ description: 'The event type, or what the user of a distribution typed: even nothing' })),
    data,
    source: optional(SourceSchema),
    event: eventOf(type)
  }, { description: 'The keys that Voucherify puts around an event' })
}

function anyType (): TString {
  return Type.String({ description: 'The event type, the only key that identifies an event' })
}

function literalType<const T extends string> (type: T): TLiteral<T> {
  return Type.Literal(type, { description: 'The event type' })
}

/** The envelope of any event, known or not. */
export const EnvelopeSchema = envelope(anyObject('The event\'s body'), anyType())

/** Returns the schema of an envelope around a body of this schema, for one event type. */
export function envelopeOf<D extends TSchema, const T extends string> (data: D, type: T) {
  return envelope(data, literalType(type))
}

export type Envelope = Static<typeof EnvelopeSchema>
export type Source = Static<typeof SourceSchema>
export type EventSource = Static<typeof EventSourceSchema>
