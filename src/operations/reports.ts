import { Type, type Static } from '@sinclair/typebox'
import { driftKinds } from '../voucherify/drift.js'

const Time = Type.String({ format: 'date-time' })
const Count = Type.Integer({ minimum: 0 })

/** In which ways authentic bodies differed from their schemas. */
export const DriftSchema = Type.Object({
  differences: Type.Array(Type.Object({
    eventType: Type.String(),
    kind: Type.Union(driftKinds.map((kind) => Type.Literal(kind)), { description: 'A `fault` makes an event invalid; with the others it is valid, or unvalidated where its type is not known.' }),
    pointer: Type.String({ description: 'A JSON pointer (RFC 6901) from the root of the body.' }),
    expected: Type.Union([Type.String(), Type.Null()]),
    seen: Type.Union([Type.String(), Type.Null()], { description: 'The kind of value that was there, never the value.' }),
    count: Count,
    firstAt: Time,
    lastAt: Time
  }, { additionalProperties: false })),
  dropped: Type.Integer({ minimum: 0, description: 'How many more there were that could not be kept apart.' })
}, { $id: 'Drift', additionalProperties: false, description: 'In which ways authentic bodies differed from their schemas.' })

export type Drift = Static<typeof DriftSchema>

/** How far the sender's patience is used up, for each source that was failed. */
export const PatienceSchema = Type.Object({
  sources: Type.Array(Type.Object({
    sourceId: Type.String(),
    proven: Type.Boolean({ description: 'Whether a webhook of this source was ever proven genuine; if not, anybody may have made it up.' }),
    triesUsed: Type.Integer({ minimum: 0, description: 'At most.' }),
    triesAllowed: Type.Integer({ minimum: 0 }),
    failedEvents: Count,
    firstFailureAt: Time,
    lastFailureAt: Time,
    disabledAt: Type.Union([Time, Type.Null()], { description: 'When the sender switches the webhook off if nothing changes; an estimate.' }),
    lastCode: Type.String({ description: 'The code of the last answer that was a failure to the sender.' }),
    recovered: Type.Boolean({ description: 'Whether a webhook of this source was accepted since.' })
  }, { additionalProperties: false }))
}, { $id: 'Patience', additionalProperties: false, description: 'How far the sender\'s patience is used up, for each source that was failed.' })

export type Patience = Static<typeof PatienceSchema>

/** Which expected events stay away. */
export const SilenceSchema = Type.Object({
  expectations: Type.Array(Type.Object({
    expectation: Type.String({ description: 'As EXPECT_EVENT_WITHIN has it.' }),
    withinMs: Type.Number({ minimum: 0 }),
    lastAt: Type.Union([Time, Type.Null()]),
    silentMs: Type.Number({ minimum: 0 }),
    silent: Type.Boolean({ description: 'Whether it is for longer than expected.' })
  }, { additionalProperties: false }))
}, { $id: 'Silence', additionalProperties: false, description: 'Which expected events stay away.' })

export type Silence = Static<typeof SilenceSchema>
