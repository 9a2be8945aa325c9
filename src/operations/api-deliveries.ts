import { Type } from '@sinclair/typebox'
import { listableStandings, type Operator } from '../delivery/operator.js'
import { Problem } from '../errors.js'
import { answerProblems } from './answers.js'
import { cursorOf, DEFAULT_LIMIT, NextSchema, pageParameters, readCursor } from './cursor.js'
import { describeDetails, describeListed, DetailsSchema, ListedSchema, VerdictSchema } from './describe-deliveries.js'
import { findDeliveries, findDelivery, knownForwarders } from './find-deliveries.js'
import { readTime, TimeParameter } from './read-time.js'
import type { AdminApp } from './route-types.js'

export interface DeliveryRouteOptions {
  readonly operator: Operator
}

const closed = { additionalProperties: false }
const Value = Type.String({ minLength: 1, maxLength: 200 })

export const IdParameters = Type.Object({ id: Type.String({ description: 'A delivery\'s id, or as much of its beginning as is unambiguous.' }) }, closed)

export const IdsSchema = Type.Array(Type.String({ minLength: 1, maxLength: 100 }), {
  minItems: 1, maxItems: 200, description: 'Deliveries, each by its id or an unambiguous beginning of it.'
})

const ListParameters = Type.Object({
  eventType: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'Exact, or with `*` for any run of characters.' })),
  verdict: Type.Optional(VerdictSchema),
  standing: Type.Optional(Type.Union(listableStandings.map((standing) => Type.Literal(standing)), { description: 'Where it stands with a forwarder.' })),
  forwarder: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'Whose standing is meant; any forwarder\'s where it is absent.' })),
  customerId: Type.Optional(Value),
  campaignId: Type.Optional(Value),
  sourceId: Type.Optional(Value),
  since: Type.Optional(TimeParameter('Received then or later.')),
  until: Type.Optional(TimeParameter('Received before then.')),
  after: Type.Optional(Type.Integer({ minimum: 0, description: 'Only what came after the delivery with this sequence.' })),
  ...pageParameters
}, closed)

const ListSchema = Type.Object({ deliveries: Type.Array(ListedSchema), next: NextSchema }, closed)

/** What became of a request to forward again. */
export const ForceSchema = Type.Optional(Type.Boolean({ description: 'Whether it goes out although the forwarder\'s filter passes it over.' }))

export const DiscardedSchema = Type.Object({
  discarded: Type.Array(Type.Object({
    id: Type.String(),
    status: Type.Union([Type.Literal('discarded'), Type.Literal('not there')])
  }, closed), { description: 'One entry a delivery, with what became of it.' })
}, closed)

export const ReplayedSchema = Type.Object({
  replays: Type.Integer({ minimum: 0, description: 'How many there are now, one for each delivery and forwarder.' }),
  passedOver: Type.Integer({ minimum: 0, description: 'How many need none: they are on their first way still.' }),
  filtered: Type.Integer({ minimum: 0, description: 'How many were not asked for, because the forwarder\'s filter passes the delivery over.' }),
  refused: Type.Array(Type.Object({
    id: Type.String(),
    why: Type.Union([Type.Literal('quarantined'), Type.Literal('damaged'), Type.Literal('erased'), Type.Literal('gone'), Type.Literal('not dead'), Type.Literal('filtered')], { description: '`filtered`: no forwarder that was asked for wants it; `force` sends it all the same.' })
  }, closed))
}, { $id: 'Replayed', ...closed, description: 'What became of a request to forward again.' })

/** Adds `/api/deliveries`. */
export function addDeliveryRoutes (app: AdminApp, { operator }: DeliveryRouteOptions): void {
  app.get('/api/deliveries', {
    schema: {
      operationId: 'listDeliveries',
      summary: 'Deliveries, newest first',
      tags: ['Deliveries'],
      querystring: ListParameters,
      response: { 200: ListSchema, ...answerProblems }
    }
  }, async ({ query: { cursor, limit, after, since, until, ...filter } }) => {
    const { items, next } = await operator.page({
      filter: { ...filter, since: readTime('since', since), until: readTime('until', until) },
      before: readCursor(cursor),
      after,
      limit: limit ?? DEFAULT_LIMIT
    })
    if (items.length === 0 && filter.forwarder !== undefined) await knownForwarders(operator, [filter.forwarder])
    return { deliveries: items.map(describeListed), next: cursorOf(next) }
  })

  app.get('/api/deliveries/:id', {
    schema: {
      operationId: 'getDelivery', summary: 'All about one delivery', tags: ['Deliveries'], params: IdParameters, response: { 200: DetailsSchema, ...answerProblems }
    }
  }, async ({ params }) => {
    const { sequence } = await findDelivery(operator, params.id)
    const delivery = await operator.read(sequence)
    if (delivery === undefined) throw new Problem('DELIVERY_UNKNOWN', { detail: 'Retention has just removed the delivery.' })
    return describeDetails(delivery)
  })

  app.post('/api/deliveries/:id/replay', {
    schema: {
      operationId: 'replayDelivery',
      summary: 'Forward a delivery again',
      tags: ['Deliveries'],
      params: IdParameters,
      body: Type.Object({ forwarders: Type.Optional(Type.Array(Value, { minItems: 1, maxItems: 100, description: 'To these; to all that are known where absent.' })), force: ForceSchema }, closed),
      response: { 200: ReplayedSchema, ...answerProblems }
    }
  }, async ({ params, body, log }) => {
    const forwarders = await knownForwarders(operator, body.forwarders)
    const found = await findDeliveries(operator, [params.id])
    const { replays, passedOver, filtered, refused } = await operator.replay({
      sequences: found.map(({ sequence }) => sequence), forwarders, force: body.force ?? false, finishedOnly: false, description: 'asked for at the operator\'s listener', dryRun: false
    })
    log.info({ deliveryIds: found.map(({ id }) => id), forwarders, replays }, 'replay asked for')
    return { replays, passedOver, filtered, refused: refused.map(({ why }) => ({ id: found[0]?.id ?? '', why })) }
  })
}
