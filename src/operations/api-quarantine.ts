import { Type } from '@sinclair/typebox'
import type { Operator } from '../delivery/operator.js'
import { answerProblems } from './answers.js'
import { DiscardedSchema, IdsSchema } from './api-deliveries.js'
import { cursorOf, DEFAULT_LIMIT, NextSchema, pageParameters, readCursor } from './cursor.js'
import { describeListed, FaultSchema, ListedSchema, VerdictSchema } from './describe-deliveries.js'
import { findDeliveries } from './find-deliveries.js'
import type { AdminApp } from './route-types.js'

const closed = { additionalProperties: false }

const ReleasedSchema = Type.Object({
  released: Type.Array(Type.Object({
    id: Type.String(),
    status: Type.Union([
      Type.Literal('released'), Type.Literal('still invalid'), Type.Literal('too old'), Type.Literal('not in quarantine'), Type.Literal('damaged'), Type.Literal('gone')
    ]),
    verdict: VerdictSchema,
    faults: Type.Array(FaultSchema)
  }, closed), { description: 'One entry a delivery, with what became of it.' })
}, closed)

/** Adds `/api/quarantine`. */
export function addQuarantineRoutes (app: AdminApp, { operator }: { readonly operator: Operator }): void {
  app.get('/api/quarantine', {
    schema: {
      operationId: 'listQuarantine',
      summary: 'What is held back, newest first',
      tags: ['Quarantine'],
      querystring: Type.Object(pageParameters, closed),
      response: { 200: Type.Object({ deliveries: Type.Array(ListedSchema), next: NextSchema }, closed), ...answerProblems }
    }
  }, async ({ query: { cursor, limit } }) => {
    const { items, next } = await operator.page({ filter: { standing: 'quarantined' }, before: readCursor(cursor), limit: limit ?? DEFAULT_LIMIT })
    return { deliveries: items.map(describeListed), next: cursorOf(next) }
  })

  app.post('/api/quarantine/release', {
    schema: {
      operationId: 'releaseFromQuarantine',
      summary: 'Validate again, and forward what is valid now',
      tags: ['Quarantine'],
      body: Type.Object({ ids: IdsSchema, force: Type.Optional(Type.Boolean({ description: 'Whether also what is still invalid gets out.' })) }, closed),
      response: { 200: ReleasedSchema, ...answerProblems }
    }
  }, async ({ body: { ids, force = false }, log }) => {
    const found = await findDeliveries(operator, ids)
    const results = await operator.release({ sequences: found.map(({ sequence }) => sequence), force })
    const released = results.map(({ sequence, status, verdict, faults }) => {
      return { id: found.find((each) => each.sequence === sequence)?.id ?? '', status, verdict, faults: [...faults] }
    })
    log.info({ deliveryIds: released.filter(({ status }) => status === 'released').map(({ id }) => id), force }, 'quarantine released')
    return { released }
  })

  app.post('/api/quarantine/discard', {
    schema: {
      operationId: 'discardFromQuarantine',
      summary: 'Remove from quarantine for good',
      tags: ['Quarantine'],
      body: Type.Object({ ids: IdsSchema }, closed),
      response: { 200: DiscardedSchema, ...answerProblems }
    }
  }, async ({ body: { ids }, log }) => {
    const found = await findDeliveries(operator, ids)
    const results = await operator.discard({ from: 'quarantine', sequences: found.map(({ sequence }) => sequence) })
    const discarded = results.map(({ sequence, status }) => ({ id: found.find((each) => each.sequence === sequence)?.id ?? '', status }))
    log.info({ deliveryIds: discarded.filter(({ status }) => status === 'discarded').map(({ id }) => id) }, 'quarantine discarded')
    return { discarded }
  })
}
