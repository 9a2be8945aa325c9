import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { driftKinds } from '../voucherify/drift.js'
import type { DriftReport } from './drift.js'
import type { KeptPatience } from './patience.js'
import type { KeptSilence } from './silence.js'

/** What the service has noticed of its senders, as it is kept from one run to the next. None of it is needed to forward. */
export interface Observations {
  readonly drift: DriftReport
  readonly patience: KeptPatience
  readonly silence: readonly KeptSilence[]
}

const Time = Type.Number({ minimum: 0, maximum: 8.64e15 })
const Count = Type.Integer({ minimum: 0 })
const Text = Type.String({ maxLength: 1024 })

const ObservationsSchema = Type.Object({
  version: Type.Literal(1),
  drift: Type.Object({
    differences: Type.Array(Type.Object({
      eventType: Text,
      kind: Type.Union(driftKinds.map((kind) => Type.Literal(kind))),
      pointer: Text,
      expected: Text,
      seen: Text,
      count: Count,
      firstAt: Time,
      lastAt: Time
    }), { maxItems: 500 }),
    dropped: Count
  }),
  patience: Type.Object({
    known: Type.Array(Text, { maxItems: 500 }),
    sources: Type.Array(Type.Object({
      sourceId: Text,
      proven: Type.Boolean(),
      lastCode: Text,
      firstFailureAt: Time,
      lastFailureAt: Time,
      alarmed: Count,
      events: Type.Array(Type.Object({ eventId: Text, failures: Count, firstAt: Time }), { maxItems: 200 })
    }), { maxItems: 120 })
  }),
  silence: Type.Array(Type.Object({ expectation: Text, lastAt: Type.Union([Time, Type.Null()]), since: Time }), { maxItems: 20 })
})

/** @throws where the text is not what `writeObservations` made */
export function parseObservations (text: string): Observations {
  const value: unknown = JSON.parse(text)
  if (!Value.Check(ObservationsSchema, value)) throw new Error('It is not a file of observations of this version')
  return value
}

export function formatObservations (observations: Observations): string {
  return JSON.stringify({ version: 1, ...observations })
}
