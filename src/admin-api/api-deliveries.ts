import { Type } from '@sinclair/typebox'
import { listableStatuses, type ListedDelivery } from '../delivery/listing.js'
import type { Operator } from '../delivery/operator.js'
import { Problem } from '../errors/problem.js'
import { answerProblems } from '../http/problem-answer.js'
import { noteIfUnsure, type NoteAction } from './audit.js'
import { cursorOf, DEFAULT_LIMIT, NextSchema, pageParameters, readCursor } from './cursor.js'
import { LoyaltyParameter, type LoyaltyReader } from './loyalty.js'
import { describeDetails, describeListed, withLoyalty, DetailsSchema, ListedSchema, VerdictSchema } from './describe-deliveries.js'
import { findDeliveries, findDelivery, knownForwarders } from './find-deliveries.js'
import { readTime, TimeParameter } from './read-time.js'
import type { App } from '../http/app.js'
import { MAX_ID_LENGTH } from '../voucherify/identify.js'

export interface DeliveryRouteOptions {
  readonly operator: Operator
  readonly noteAction: NoteAction
  readonly loyalty: LoyaltyReader
  /** The running forwarders. */
  readonly forwarders: () => ReadonlyArray<{ readonly name: string }>
}

/** A shorter search text is taken as the start of an id, not of a forwarder's name. */
const MIN_NAME_LENGTH = 3

const closed = { additionalProperties: false }
const Value = Type.String({ minLength: 1, maxLength: MAX_ID_LENGTH })

export const IdParameters = Type.Object({ id: Type.String({ description: 'A delivery\'s id, or an unambiguous beginning of it.' }) }, closed)

export const IdsSchema = Type.Array(Type.String({ minLength: 1, maxLength: 100 }), {
  minItems: 1, maxItems: 200, description: 'Deliveries, each by its id or an unambiguous beginning of it.'
})

const ListParameters = Type.Object({
  q: Type.Optional(Type.String({ minLength: 1, maxLength: MAX_ID_LENGTH, description: 'The beginning of any of its ids, a word of its event type, or a forwarder\'s name, which then acts as `forwarder`.' })),
  eventType: Type.Optional(Type.String({ minLength: 1, maxLength: MAX_ID_LENGTH, description: 'Exact, or with `*` for any run of characters.' })),
  verdict: Type.Optional(VerdictSchema),
  status: Type.Optional(Type.Union(listableStatuses.map((status) => Type.Literal(status)), { description: 'Its status at a forwarder.' })),
  forwarder: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'The forwarder that `status` is about; any forwarder if absent. Without `status`: all deliveries that were for this forwarder.' })),
  customerId: Type.Optional(Value),
  campaignId: Type.Optional(Value),
  sourceId: Type.Optional(Value),
  since: Type.Optional(TimeParameter('Received at this time or later.')),
  until: Type.Optional(TimeParameter('Received before this time.')),
  loyalty: LoyaltyParameter,
  after: Type.Optional(Type.Integer({ minimum: 0, description: 'Only deliveries with a higher sequence than this.' })),
  ...pageParameters
}, closed)

const ListSchema = Type.Object({ deliveries: Type.Array(ListedSchema), next: NextSchema }, closed)

export const ForceSchema = Type.Optional(Type.Boolean({ description: 'Whether to send it even if the forwarder\'s filter skips it.' }))

export const DiscardedSchema = Type.Object({
  discarded: Type.Array(Type.Object({
    id: Type.String(),
    status: Type.Union([Type.Literal('discarded'), Type.Literal('not there')])
  }, closed), { description: 'One entry per delivery, with the result.' })
}, closed)

export const ReplayedSchema = Type.Object({
  replays: Type.Integer({ minimum: 0, description: 'How many replays were requested, one per delivery and forwarder.' }),
  passedOver: Type.Integer({ minimum: 0, description: 'How many need no replay, because the forwarder has yet to finish the delivery.' }),
  filtered: Type.Integer({ minimum: 0, description: 'How many were not requested, because the forwarder\'s filter skips the delivery.' }),
  refused: Type.Array(Type.Object({
    id: Type.String(),
    why: Type.Union([Type.Literal('quarantined'), Type.Literal('damaged'), Type.Literal('erased'), Type.Literal('gone'), Type.Literal('not dead'), Type.Literal('filtered')], { description: '`filtered`: the filter of every named forwarder skips it. `force` sends it anyway.' })
  }, closed))
}, { $id: 'Replayed', ...closed, description: 'The result of a replay request.' })

/** Whether the delivery was meant for this forwarder. The engines filter only by status at a forwarder, so a filter without a status ends here. */
function wasFor ({ forwarders }: ListedDelivery, name: string | undefined): boolean {
  return forwarders.some(({ forwarder, status }) => forwarder === name && status !== 'skipped' && status !== 'before-start')
}

/** Adds `/api/deliveries`. */
export function addDeliveryRoutes (app: App, { operator, noteAction, loyalty: loyaltyReader, forwarders: running }: DeliveryRouteOptions): void {
  /** Turns the search text into a forwarder filter if it is a running forwarder's name or the start of one. Otherwise it stays text. */
  function readSearch<T extends { readonly forwarder?: string }> (q: string | undefined, filter: T): T & { readonly text?: string } {
    if (q === undefined) return filter
    const named = q.length < MIN_NAME_LENGTH ? [] : running().filter(({ name }) => name.startsWith(q))
    const [meant] = running().filter(({ name }) => name === q).concat(named)
    return meant === undefined || filter.forwarder !== undefined ? { ...filter, text: q } : { ...filter, forwarder: meant.name }
  }

  app.get('/api/deliveries', {
    schema: {
      operationId: 'listDeliveries',
      summary: 'Deliveries, newest first',
      tags: ['Deliveries'],
      querystring: ListParameters,
      response: { 200: ListSchema, ...answerProblems }
    }
  }, async ({ query: { q, cursor, limit, after, since, until, loyalty, ...given } }) => {
    const { text, ...filter } = readSearch(q, given)
    const { items: found, next } = await operator.page({
      filter: { ...filter, text, since: readTime('since', since), until: readTime('until', until) },
      before: readCursor(cursor),
      after,
      limit: limit ?? DEFAULT_LIMIT
    })
    const items = filter.forwarder === undefined || filter.status !== undefined ? found : found.filter((each) => wasFor(each, filter.forwarder))
    if (items.length === 0 && filter.forwarder !== undefined) await knownForwarders(operator, [filter.forwarder])
    return { deliveries: withLoyalty(items.map(describeListed), loyalty === undefined ? undefined : await loyaltyReader.read(items)), next: cursorOf(next) }
  })

  app.get('/api/deliveries/:id', {
    schema: {
      operationId: 'getDelivery',
      summary: 'All about one delivery',
      tags: ['Deliveries'],
      params: IdParameters,
      querystring: Type.Object({
        body: Type.Optional(Type.Union([Type.Literal('true'), Type.Literal('false')], { description: 'With `false` the body is left out, and the read is not logged as an action.' }))
      }, closed),
      response: { 200: DetailsSchema, ...answerProblems }
    }
  }, async (request) => {
    const { params, query } = request
    const { sequence, id } = await findDelivery(operator, params.id)
    const delivery = await operator.read(sequence)
    if (delivery === undefined) throw new Problem('DELIVERY_UNKNOWN', { detail: 'Retention has just removed the delivery.' })
    if (query.body === 'false') return describeDetails({ ...delivery, rawBody: undefined }, loyaltyReader.describe(delivery.rawBody, delivery.eventType))
    if (request.method !== 'HEAD') noteAction(request, { action: 'read', deliveryIds: [id], count: 1 })
    return describeDetails(delivery, loyaltyReader.describe(delivery.rawBody, delivery.eventType))
  })

  app.post('/api/deliveries/:id/replay', {
    schema: {
      operationId: 'replayDelivery',
      summary: 'Forward a delivery again',
      tags: ['Deliveries'],
      params: IdParameters,
      body: Type.Object({ forwarders: Type.Optional(Type.Array(Value, { minItems: 1, maxItems: 100, description: 'The forwarders to replay to; all known ones if absent.' })), force: ForceSchema }, closed),
      response: { 200: ReplayedSchema, ...answerProblems }
    }
  }, async (request) => {
    const { params, body: { forwarders: named, force = false } } = request
    const forwarders = await knownForwarders(operator, named)
    const found = await findDeliveries(operator, [params.id])
    const action = { action: 'replay' as const, deliveryIds: found.map(({ id }) => id), forwarders: [...forwarders], force }
    const { replays, passedOver, filtered, refused } = await noteIfUnsure(operator.replay({
      sequences: found.map(({ sequence }) => sequence), forwarders, force, finishedOnly: false, description: 'asked for at the operator\'s listener', dryRun: false
    }), () => { noteAction(request, { ...action, ended: 'unknown' }) })
    noteAction(request, { ...action, ...refused.length > 0 ? { deliveryIds: [] } : {}, count: replays })
    return { replays, passedOver, filtered, refused: refused.map(({ why }) => ({ id: found[0]?.id ?? '', why })) }
  })
}
