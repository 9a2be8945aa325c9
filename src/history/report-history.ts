import { Type, type Static } from '@sinclair/typebox'
import { percentile } from './durations.js'
import { OTHER_TYPES, spans, type ForwarderSlot, type History, type Slot, type Span } from './history.js'

const Count = Type.Integer({ minimum: 0 })
const MaybeMs = Type.Union([Type.Number({ minimum: 0 }), Type.Null()])

const SpanSchema = (slots: string) => Type.Object({
  startedAt: Type.String({ format: 'date-time', description: 'When the first slot begins.' }),
  everyMs: Type.Integer({ minimum: 1, description: 'How long a slot is, in milliseconds.' }),
  types: Type.Array(Type.Object({
    eventType: Type.String({ description: `\`${OTHER_TYPES}\`: all other event types together.` }),
    counts: Type.Array(Count, { description: `Accepted events in each slot: ${slots}. The last slot is not over yet.` })
  }, { additionalProperties: false }), { description: 'The most frequent first.' }),
  forwarders: Type.Array(Type.Object({
    name: Type.String(),
    attempts: Count,
    forwarded: Type.Integer({ minimum: 0, description: 'Attempts that succeeded.' }),
    successRate: Type.Union([Type.Number({ minimum: 0, maximum: 1 }), Type.Null()], { description: 'The share of attempts that succeeded; null if there was none.' }),
    p50Ms: MaybeMs,
    p95Ms: MaybeMs,
    backlog: Type.Array(Type.Union([Count, Type.Null()]), { description: 'Deliveries that it had not finished, in each slot; null if not measured.' })
  }, { additionalProperties: false }))
}, { additionalProperties: false })

/** What happened in the last hour and day. */
export const HistorySchema = Type.Object({
  hour: SpanSchema('60 of a minute'),
  day: SpanSchema('288 of five minutes')
}, { $id: 'History', additionalProperties: false, description: 'What happened in the last hour and day. A restart keeps it.' })

export type HistoryReport = Static<typeof HistorySchema>

/** How many types are reported separately. The others are reported together. */
const MAX_TYPES = 7

/** Returns the history in the form of the operator API. */
export function reportHistory (history: Pick<History, 'slots'>, { now, forwarderNames }: { readonly now: number, readonly forwarderNames: readonly string[] }): HistoryReport {
  const report = (span: Span): HistoryReport[Span] => {
    const { everyMs, slots } = spans[span]
    const startedAt = (Math.floor(now / everyMs) - slots + 1) * everyMs
    const byPlace = new Map(history.slots(span).map((slot) => [(slot.at - startedAt) / everyMs, slot]))
    const places = Array.from({ length: slots }, (_, index) => byPlace.get(index))
    return {
      startedAt: new Date(startedAt).toISOString(),
      everyMs,
      types: typesIn(places),
      forwarders: forwarderNames.map((name) => reportForwarder(name, places.map((slot) => slot?.forwarders[name])))
    }
  }
  return { hour: report('hour'), day: report('day') }
}

function typesIn (slots: ReadonlyArray<Slot | undefined>): HistoryReport['hour']['types'] {
  const totals = new Map<string, number>()
  for (const slot of slots) for (const [type, count] of Object.entries(slot?.events ?? {})) totals.set(type, (totals.get(type) ?? 0) + count)
  const told = [...totals].filter(([type]) => type !== OTHER_TYPES).sort(([, a], [, b]) => b - a).slice(0, MAX_TYPES).map(([type]) => type)
  const types = told.map((eventType) => ({ eventType, counts: slots.map((slot) => slot?.events[eventType] ?? 0) }))
  const others = slots.map((slot) => Object.entries(slot?.events ?? {}).reduce((sum, [type, count]) => told.includes(type) ? sum : sum + count, 0))
  return others.some((count) => count > 0) ? [...types, { eventType: OTHER_TYPES, counts: others }] : types
}

function reportForwarder (name: string, slots: ReadonlyArray<ForwarderSlot | undefined>): HistoryReport['hour']['forwarders'][number] {
  const seen = slots.filter((slot) => slot !== undefined)
  const sum = (count: (slot: ForwarderSlot) => number): number => seen.reduce((total, slot) => total + count(slot), 0)
  const forwarded = sum((slot) => slot.forwarded)
  const attempts = sum((slot) => slot.forwarded + slot.retry + slot.dead)
  const durations = seen.map((slot) => slot.durations)
  return {
    name,
    attempts,
    forwarded,
    successRate: attempts === 0 ? null : forwarded / attempts,
    p50Ms: percentile(durations, 0.5),
    p95Ms: percentile(durations, 0.95),
    backlog: slots.map((slot) => slot?.backlog ?? null)
  }
}
