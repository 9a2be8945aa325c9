import { Type, type Static } from '@sinclair/typebox'
import { statuses, type DeadLetter, type DeliveryDetails, type ForwarderStatus, type ListedDelivery } from '../delivery/listing.js'
import { LoyaltyProperty, type Loyalty } from './loyalty.js'

export const Time = Type.String({ format: 'date-time' })
const Text = Type.Union([Type.String(), Type.Null()])
const Count = Type.Integer({ minimum: 0 })
export const VerdictSchema = Type.Union([Type.Literal('valid'), Type.Literal('invalid'), Type.Literal('unvalidated')], { description: 'The result of the validation.' })

export const FaultSchema = Type.Object({
  pointer: Type.String({ description: 'A JSON pointer (RFC 6901) from the root of the body.' }),
  message: Type.String()
}, { additionalProperties: false })

const StatusAtForwarderSchema = Type.Object({
  forwarder: Type.String(),
  status: Type.Union(statuses.map((status) => Type.Literal(status)), {
    description: '`skipped`: the forwarder\'s filter skipped it. `discarded`: it was a dead letter, and an operator discarded it. `before-start`: it was stored before the forwarder was added, so it is not forwarded there.'
  }),
  attempt: Type.Optional(Type.Integer({ minimum: 0, description: 'If it waits: the number of the next attempt. If it is dead: how many attempts were made.' })),
  dueAt: Type.Optional(Time),
  diedAt: Type.Optional(Time),
  reason: Type.Optional(Type.String()),
  replay: Type.Optional(Type.Boolean({ description: 'Whether the waiting delivery is a replay.' }))
}, { additionalProperties: false })

const listed = {
  sequence: Type.Integer({ minimum: 1, description: 'Its place in the order of all deliveries.' }),
  id: Type.String(),
  receivedAt: Time,
  eventType: Type.String(),
  verdict: VerdictSchema,
  state: Type.Union([Type.Literal('accepted'), Type.Literal('quarantined'), Type.Literal('released'), Type.Literal('damaged'), Type.Literal('erased')], { description: '`accepted`: never in quarantine. `quarantined`: in quarantine now. `released`: released from quarantine. `damaged`: its record is damaged, so it is not forwarded. `erased`: its event was erased for a person.' }),
  sourceObject: Text,
  sourceId: Text,
  eventId: Text,
  projectId: Text,
  customerId: Text,
  campaignId: Text,
  duplicates: Type.Integer({ minimum: 0, description: 'How many duplicates of it arrived.' }),
  bodyBytes: Count,
  faults: Type.Array(FaultSchema),
  forwarders: Type.Array(StatusAtForwarderSchema, { description: 'Its status at every known forwarder.' }),
  loyalty: LoyaltyProperty
}

export const ListedSchema = Type.Object(listed, { $id: 'Delivery', additionalProperties: false, description: 'A delivery in a list.' })

export const DetailsSchema = Type.Object({
  ...listed,
  headers: Type.Record(Type.String(), Type.String(), { description: 'The request headers that are kept.' }),
  body: Type.Union([Type.String(), Type.Null()], { description: 'The body as received; null if it is not UTF-8, cannot be read, or was not requested.' }),
  bodyBase64: Type.Union([Type.String(), Type.Null()], { description: 'The body as received, in base64, if it is not UTF-8.' }),
  damaged: Type.Boolean({ description: 'Whether the record differs from what was written.' }),
  attempts: Type.Array(Type.Object({
    forwarder: Type.String(),
    replay: Type.Boolean(),
    attempt: Type.Integer({ minimum: 1 }),
    startedAt: Time,
    durationMs: Type.Number({ minimum: 0 }),
    outcome: Type.String(),
    detail: Text
  }, { additionalProperties: false }), { description: 'The recorded attempts, oldest first.' })
}, { $id: 'DeliveryDetails', additionalProperties: false, description: 'All about one delivery.' })

export const DeadLetterSchema = Type.Object({
  forwarder: Type.String(),
  sequence: Type.Integer({ minimum: 1 }),
  id: Type.String(),
  eventType: Type.String(),
  customerId: Text,
  receivedAt: Time,
  diedAt: Time,
  attempts: Count,
  reason: Type.String(),
  replaying: Type.Boolean({ description: 'Whether a replay of it is under way.' }),
  loyalty: LoyaltyProperty
}, { $id: 'DeadLetter', additionalProperties: false, description: 'A delivery that a forwarder gave up on.' })

export function isoTime (milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}

export function describeListed ({ receivedAt, faults, forwarders, ...rest }: ListedDelivery): Static<typeof ListedSchema> {
  return { ...rest, receivedAt: isoTime(receivedAt), faults: [...faults], forwarders: forwarders.map(describeStatus) }
}

function describeStatus ({ dueAt, diedAt, ...rest }: ForwarderStatus): Static<typeof StatusAtForwarderSchema> {
  return { ...rest, ...(dueAt === undefined ? {} : { dueAt: isoTime(dueAt) }), ...(diedAt === undefined ? {} : { diedAt: isoTime(diedAt) }) }
}

export function describeDetails ({ headers, rawBody, damaged, attempts, ...rest }: DeliveryDetails, loyalty: Loyalty | null): Static<typeof DetailsSchema> {
  const body = rawBody === undefined ? undefined : textOf(rawBody)
  return {
    ...describeListed(rest),
    loyalty,
    headers: { ...headers },
    body: body ?? null,
    bodyBase64: rawBody === undefined || body !== undefined ? null : Buffer.from(rawBody).toString('base64'),
    damaged,
    attempts: attempts.map(({ startedAt, ...attempt }) => ({ ...attempt, startedAt: isoTime(startedAt) }))
  }
}

export function describeDeadLetter ({ receivedAt, diedAt, ...rest }: DeadLetter): Static<typeof DeadLetterSchema> {
  return { ...rest, receivedAt: isoTime(receivedAt), diedAt: isoTime(diedAt) }
}

function textOf (bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    // Not UTF-8.
    return undefined
  }
}

/** Adds each delivery's loyalty, if loyalty was asked for. */
export function withLoyalty<T extends { readonly sequence: number }> (described: readonly T[], loyalty: ReadonlyMap<number, Loyalty | null> | undefined): Array<T & { loyalty?: Loyalty | null }> {
  return loyalty === undefined ? [...described] : described.map((each) => ({ ...each, loyalty: loyalty.get(each.sequence) ?? null }))
}
