import { Type, type Static } from '@sinclair/typebox'
import { driftKinds } from '../voucherify/drift.js'
import { origins } from './unproven.js'

const Time = Type.String({ format: 'date-time' })
const Count = Type.Integer({ minimum: 0 })

/** The ways in which authentic bodies differed from their schemas. */
export const DriftSchema = Type.Object({
  differences: Type.Array(Type.Object({
    eventType: Type.String(),
    kind: Type.Union(driftKinds.map((kind) => Type.Literal(kind)), { description: 'A `fault` makes an event invalid; with the others it is valid, or unvalidated where its type is not known. `wrong direction`: a raw payload that came to the URL for upgrades, and whose points go down; or the other way round.' }),
    pointer: Type.String({ description: 'A JSON pointer (RFC 6901) from the root of the body.' }),
    expected: Type.Union([Type.String(), Type.Null()]),
    seen: Type.Union([Type.String(), Type.Null()], { description: 'The kind of value that was there, never the value; or which way the points go.' }),
    count: Count,
    firstAt: Time,
    lastAt: Time,
    advice: Type.Union([Type.String(), Type.Null()], { description: 'What to do, where that does not go without saying.' })
  }, { additionalProperties: false })),
  dropped: Type.Integer({ minimum: 0, description: 'How many more there were that could not be kept apart.' })
}, { $id: 'Drift', additionalProperties: false, description: 'In which ways authentic bodies differed from their schemas.' })

export type Drift = Static<typeof DriftSchema>

const From = Type.Union(origins.map((from) => Type.Literal(from)), { description: '`known`: from an address that signed webhooks came from before. It is a hint, and no proof.' })

/** How much of its retry budget the sender has used, per source with failures. Unsigned requests are listed separately. */
export const RetryBudgetSchema = Type.Object({
  sources: Type.Array(Type.Object({
    sourceId: Type.String(),
    proven: Type.Literal(true, { description: 'Only signed webhooks count here; all others are under `unproven`.' }),
    triesUsed: Type.Integer({ minimum: 0, description: 'At most.' }),
    triesAllowed: Type.Integer({ minimum: 0 }),
    failedEvents: Count,
    firstFailureAt: Time,
    lastFailureAt: Time,
    disabledAt: Type.Union([Time, Type.Null()], { description: 'When the sender switches the webhook off if nothing changes; an estimate.' }),
    lastCode: Type.String({ description: 'The code of the last answer that was a failure to the sender.' }),
    recovered: Type.Boolean({ description: 'Whether a webhook of this source was accepted since.' })
  }, { additionalProperties: false })),
  unproven: Type.Object({
    signedAt: Type.Union([Time, Type.Null()], { description: 'When a new signed webhook was accepted last.' }),
    refused: Type.Array(Type.Object({
      from: From,
      count: Count,
      since: Time,
      lastAt: Time,
      lastCode: Type.String(),
      triesUsed: Type.Integer({ minimum: 0, description: 'At most, if it is Voucherify: by how many there were, and how long it has lasted.' }),
      triesAllowed: Type.Integer({ minimum: 0 }),
      disabledAt: Type.String({ format: 'date-time', description: 'When Voucherify switches the webhook off if it is Voucherify and nothing changes; an estimate.' }),
      advice: Type.String()
    }, { additionalProperties: false }), { description: 'What was refused since a new signed webhook was accepted last.' }),
    addresses: Type.Array(Type.Object({
      address: Type.Union([Type.String(), Type.Null()], { description: 'Of IPv6 the first 64 bits; `null`: all that could not be told apart.' }),
      known: Type.Boolean({ description: 'Whether signed webhooks came from there before.' }),
      count: Count,
      firstAt: Time,
      lastAt: Time,
      lastCode: Type.String()
    }, { additionalProperties: false }), { description: 'Who was refused in the last 24 hours.' })
  }, { additionalProperties: false, description: 'What was refused without a right signature: anybody may have sent it.' })
}, { $id: 'RetryBudget', additionalProperties: false, description: 'How far the sender\'s retry budget is used up, for each source that was failed; and apart, what nobody has signed.' })

export type RetryBudget = Static<typeof RetryBudgetSchema>

/** The state of each expected event. */
export const MissingEventsSchema = Type.Object({
  expectations: Type.Array(Type.Object({
    expectation: Type.String({ description: 'As EXPECT_EVENT_WITHIN has it.' }),
    withinMs: Type.Number({ minimum: 0 }),
    lastAt: Type.Union([Time, Type.Null()]),
    ageMs: Type.Number({ minimum: 0 }),
    missing: Type.Boolean({ description: 'Whether it is for longer than expected.' })
  }, { additionalProperties: false }))
}, { $id: 'MissingEvents', additionalProperties: false, description: 'Which expected events stay away.' })

export type MissingEvents = Static<typeof MissingEventsSchema>
