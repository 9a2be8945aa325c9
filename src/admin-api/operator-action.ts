import { Type, type Static } from '@sinclair/typebox'

const closed = { additionalProperties: false }

/** How many ids an action lists at most. Its count covers all. */
export const MAX_IDS = 200

const what = {
  action: Type.Union([
    Type.Literal('read'), Type.Literal('replay'), Type.Literal('release'), Type.Literal('discard'), Type.Literal('erase'), Type.Literal('pause'), Type.Literal('resume'),
    Type.Literal('forget'), Type.Literal('prune'), Type.Literal('backup'), Type.Literal('restore'), Type.Literal('reset drift')
  ], { description: '`read`: the body of a delivery was shown.' }),
  from: Type.Optional(Type.Union([Type.Literal('quarantine'), Type.Literal('dead letters')])),
  deliveryIds: Type.Optional(Type.Array(Type.String({ maxLength: 100 }), { maxItems: MAX_IDS, description: 'The named deliveries; at the listener, only those that the action changed.' })),
  filter: Type.Optional(Type.Record(Type.String({ maxLength: 40 }), Type.String({ maxLength: 500 }), { description: 'The filter, if no deliveries were named. The customer is left out.' })),
  forwarders: Type.Optional(Type.Array(Type.String({ maxLength: 200 }), { maxItems: 1000 })),
  count: Type.Optional(Type.Integer({ minimum: 0, description: 'How many deliveries. Replays count once per delivery and forwarder.' })),
  force: Type.Optional(Type.Boolean()),
  by: Type.Optional(Type.Array(Type.Union([Type.Literal('customer'), Type.Literal('source_id'), Type.Literal('email')]), { description: 'Which kinds of id named the erased person. The ids themselves are left out.' })),
  file: Type.Optional(Type.String({ maxLength: 4096 })),
  ended: Type.Optional(Type.Union([Type.Literal('stopped'), Type.Literal('failed'), Type.Literal('unknown')], { description: 'Present if the action did not run to its end. `unknown`: the database did not answer whether it did.' }))
}

/** An operator's action and its targets. It contains no secret, no body and no personal data. */
export const OperatorActionSchema = Type.Object(what, closed)

export type OperatorAction = Static<typeof OperatorActionSchema>

/** An action with its time and its author. */
export const RecordedActionSchema = Type.Union([
  Type.Object({
    at: Type.String({ maxLength: 40 }),
    via: Type.Literal('listener'),
    sourceAddress: Type.String({ maxLength: 200 }),
    token: Type.Union([Type.String({ maxLength: 200 }), Type.Null()], { description: 'The name of the token; null if none is needed.' }),
    ...what
  }, closed),
  Type.Object({ at: Type.String({ maxLength: 40 }), via: Type.Literal('command'), user: Type.String({ maxLength: 200 }), ...what }, closed)
])

export type RecordedAction = Static<typeof RecordedActionSchema>
