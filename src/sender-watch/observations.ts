import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { driftKinds } from '../voucherify/drift.js'
import type { DriftReport } from './drift.js'
import type { KeptRetryBudget } from './retry-budget.js'
import type { KeptMissingEvents } from './missing-events.js'
import { origins, type KeptUnproven } from './unproven.js'
import { WebhookStatusSchema, type WebhookStatus } from './webhook-status.js'

/** What the service has noticed of its senders, as it is kept from one run to the next. None of it is needed to forward. */
export interface Observations {
  readonly drift: DriftReport
  readonly retryBudget: KeptRetryBudget
  readonly unproven: KeptUnproven
  readonly missingEvents: readonly KeptMissingEvents[]
  /** Where this is the replica that asks. */
  readonly webhook?: ToldStatus
}

/** How the webhook stands at the sender, with when that answered last. */
export interface ToldStatus {
  readonly status: WebhookStatus
  readonly answeredAt: number
}

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
      place: Type.Optional(Text)
    }), { maxItems: 500 }),
    dropped: Count
  }),
  missingEvents: Type.Array(Type.Object({ expectation: Text, lastAt: Type.Union([Time, Type.Null()]), since: Time }), { maxItems: 20 }),
  retryBudget: Type.Object({
    sources: Type.Array(Type.Object({
      sourceId: Text,
      lastCode: Text,
      firstFailureAt: Time,
      lastFailureAt: Time,
      alarmed: Count,
      events: Type.Array(Type.Object({ eventId: Text, failures: Count, firstAt: Time }), { maxItems: 200 })
    }), { maxItems: 100 }),
    recovered: Type.Optional(Type.Array(Type.Object({ sourceId: Text, eventId: Text, at: Time }), { maxItems: 20_000 }))
  }),
  unproven: Type.Object({
    signedAt: Type.Union([Time, Type.Null()]),
    knownAddresses: Type.Array(Text, { maxItems: 50 }),
    refused: Type.Array(Type.Object({ ...Refused, from: Type.Union(origins.map((from) => Type.Literal(from))), told: Count }), { maxItems: 2 }),
    addresses: Type.Array(Type.Object({ ...Refused, address: Type.Union([Text, Type.Null()]) }), { maxItems: 100 })
  }),
  webhook: Type.Optional(Type.Object({ status: WebhookStatusSchema, answeredAt: Time }))
})

/** @throws where the text is not what `formatObservations` made */
export function parseObservations (text: string): Observations {
  const value: unknown = JSON.parse(text)
  if (!Value.Check(ObservationsSchema, value)) throw new Error('It is not a file of observations of this version')
  return value
}

export function formatObservations (observations: Observations): string {
  return JSON.stringify({ version: 3, ...observations })
}
