import { Type, type Static } from '@sinclair/typebox'
import { driftKinds } from '../voucherify/drift.js'
import { origins } from './unproven.js'

const Time = Type.String({ format: 'date-time' })
const Count = Type.Integer({ minimum: 0 })

/** The ways in which authentic bodies differed from their schemas. */
export const DriftSchema = Type.Object({
  differences: Type.Array(Type.Object({
    eventType: Type.String(),
    kind: Type.Union(driftKinds.map((kind) => Type.Literal(kind)), { description: 'A `fault` makes an event invalid. The other kinds leave it valid, or unvalidated if its type is unknown. `wrong direction`: a raw payload that came to the URL for upgrades although its points go down, or the reverse.' }),
    pointer: Type.String({ description: 'A JSON pointer (RFC 6901) from the root of the body.' }),
    expected: Type.Union([Type.String(), Type.Null()]),
    seen: Type.Union([Type.String(), Type.Null()], { description: 'The kind of value that was found, never the value itself; or the direction of the points.' }),
    count: Count,
    firstAt: Time,
    lastAt: Time,
    advice: Type.Union([Type.String(), Type.Null()], { description: 'What to do; null if that is obvious.' })
  }, { additionalProperties: false })),
  dropped: Type.Integer({ minimum: 0, description: 'How many more differences were met after the table was full.' })
}, { $id: 'Drift', additionalProperties: false, description: 'How authentic bodies differed from their schemas.' })

export type Drift = Static<typeof DriftSchema>

const From = Type.Union(origins.map((from) => Type.Literal(from)), { description: '`known`: from an address that sent signed webhooks before. This is a hint, not a proof.' })

/** How much of its retry budget the sender has used, per source with failures. Unsigned requests are listed separately. */
export const RetryBudgetSchema = Type.Object({
  sources: Type.Array(Type.Object({
    sourceId: Type.String(),
    proven: Type.Literal(true, { description: 'Only signed webhooks count here; all others are under `unproven`.' }),
    triesUsed: Type.Integer({ minimum: 0, description: 'An upper bound.' }),
    triesAllowed: Type.Integer({ minimum: 0 }),
    failedEvents: Count,
    firstFailureAt: Time,
    lastFailureAt: Time,
    disabledAt: Type.Union([Time, Type.Null()], { description: 'When the sender switches the webhook off if nothing changes; an estimate.' }),
    lastCode: Type.String({ description: 'The code of the last answer that the sender counts as a failure.' }),
    recovered: Type.Boolean({ description: 'Whether all failed events of this source were accepted since.' })
  }, { additionalProperties: false })),
  unproven: Type.Object({
    signedAt: Type.Union([Time, Type.Null()], { description: 'When a new signed webhook was last accepted.' }),
    refused: Type.Array(Type.Object({
      from: From,
      count: Count,
      since: Time,
      lastAt: Time,
      lastCode: Type.String(),
      triesUsed: Type.Integer({ minimum: 0, description: 'An upper bound if the sender is Voucherify, from the number of requests and the time since the first.' }),
      triesAllowed: Type.Integer({ minimum: 0 }),
      disabledAt: Type.String({ format: 'date-time', description: 'When Voucherify switches the webhook off, if Voucherify sends these and nothing changes; an estimate.' }),
      advice: Type.String()
    }, { additionalProperties: false }), { description: 'What was refused since a new signed webhook was last accepted.' }),
    addresses: Type.Array(Type.Object({
      address: Type.Union([Type.String(), Type.Null()], { description: 'Of an IPv6 address, the first 64 bits; null for all other addresses together.' }),
      known: Type.Boolean({ description: 'Whether signed webhooks came from there before.' }),
      count: Count,
      firstAt: Time,
      lastAt: Time,
      lastCode: Type.String()
    }, { additionalProperties: false }), { description: 'The addresses refused in the last 24 hours.' })
  }, { additionalProperties: false, description: 'Requests refused without a right signature. Anyone may have sent them.' })
}, { $id: 'RetryBudget', additionalProperties: false, description: 'How much of the sender\'s retry budget is used up, for each source that met failures. Requests without a right signature are listed apart.' })

export type RetryBudget = Static<typeof RetryBudgetSchema>

/** The state of each expected event. */
export const MissingEventsSchema = Type.Object({
  expectations: Type.Array(Type.Object({
    expectation: Type.String({ description: 'As in EXPECT_EVENT_WITHIN.' }),
    withinMs: Type.Number({ minimum: 0 }),
    lastAt: Type.Union([Time, Type.Null()]),
    ageMs: Type.Number({ minimum: 0 }),
    missing: Type.Boolean({ description: 'Whether no event came within the expected time.' })
  }, { additionalProperties: false }))
}, { $id: 'MissingEvents', additionalProperties: false, description: 'Which expected events are missing.' })

export type MissingEvents = Static<typeof MissingEventsSchema>
