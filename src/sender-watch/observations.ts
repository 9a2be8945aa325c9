import { Type, type Static } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { driftKinds } from '../voucherify/drift.js'
import { origins } from './unproven.js'
import { WebhookStatusSchema } from './webhook-status.js'

const Time = Type.Number({ minimum: 0, maximum: 8.64e15 })
const Count = Type.Integer({ minimum: 0 })
const Text = Type.String({ maxLength: 1024 })

const Refused = { count: Count, firstAt: Time, lastAt: Time, lastCode: Text }

const ObservationsSchema = Type.Object({
  version: Type.Literal(3),
  drift: Type.Object({
    differences: Type.Array(Type.Object({
      eventType: Text,
      kind: Type.Union(driftKinds.map((kind) => Type.Literal(kind))),
      pointer: Text,
      expected: Text,
      seen: Text,
      count: Count,
      firstAt: Time,
      lastAt: Time,
      /** The source and event type in which the difference first occurred. The entry counts towards their share of the table. */
      place: Type.Optional(Text)
    }), { maxItems: 500 }),
    /** How many occurrences the table had no room for. */
    dropped: Count
  }),
  missingEvents: Type.Array(Type.Object({ expectation: Text, lastAt: Type.Union([Time, Type.Null()]), since: Time }), { maxItems: 20 }),
  retryBudget: Type.Object({
    sources: Type.Array(Type.Object({
      sourceId: Text,
      lastCode: Text,
      firstFailureAt: Time,
      lastFailureAt: Time,
      /** The number of tries at the last alarm. */
      alarmed: Count,
      events: Type.Array(Type.Object({ eventId: Text, failures: Count, firstAt: Time }), { maxItems: 200 })
    }), { maxItems: 100 }),
    /** Events that failed at other replicas and were accepted by this one. */
    recovered: Type.Optional(Type.Array(Type.Object({ sourceId: Text, eventId: Text, at: Time }), { maxItems: 20_000 }))
  }),
  unproven: Type.Object({
    signedAt: Type.Union([Time, Type.Null()]),
    knownAddresses: Type.Array(Text, { maxItems: 50 }),
    refused: Type.Array(Type.Object({ ...Refused, from: Type.Union(origins.map((from) => Type.Literal(from))), told: Count }), { maxItems: 2 }),
    addresses: Type.Array(Type.Object({ ...Refused, address: Type.Union([Text, Type.Null()]) }), { maxItems: 100 })
  }),
  /** The status of the webhook at the sender, and when the sender last answered. Present only from the replica that asks. */
  webhook: Type.Optional(Type.Object({ status: WebhookStatusSchema, answeredAt: Time }))
})

/**
 * What the service has observed of its senders, as kept for the next run. Forwarding does not need it. Times are in milliseconds since the epoch.
 */
export type Observations = Omit<Static<typeof ObservationsSchema>, 'version'>

/** @throws if `formatObservations` did not make the text */
export function parseObservations (text: string): Observations {
  const value: unknown = JSON.parse(text)
  if (!Value.Check(ObservationsSchema, value)) throw new Error('It is not a file of observations of this version')
  return value
}

export function formatObservations (observations: Observations): string {
  return JSON.stringify({ version: 3, ...observations })
}
