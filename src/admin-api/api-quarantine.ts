import { Type } from '@sinclair/typebox'
import type { Operator } from '../delivery/operator.js'
import { answerProblems } from '../http/problem-answer.js'
import { DiscardedSchema, IdsSchema } from './api-deliveries.js'
import { noteIfUnsure, type NoteAction } from './audit.js'
import { cursorOf, DEFAULT_LIMIT, NextSchema, pageParameters, readCursor } from './cursor.js'
import { LoyaltyParameter, type LoyaltyReader } from './loyalty.js'
import { describeListed, withLoyalty, FaultSchema, ListedSchema, VerdictSchema } from './describe-deliveries.js'
import { discardDeliveries, findDeliveries } from './find-deliveries.js'
import type { App } from '../http/app.js'

const closed = { additionalProperties: false }

const ReleasedSchema = Type.Object({
  released: Type.Array(Type.Object({
    id: Type.String(),
    status: Type.Union([
      Type.Literal('released'), Type.Literal('still invalid'), Type.Literal('too old'), Type.Literal('not in quarantine'), Type.Literal('damaged'), Type.Literal('gone')
    ]),
    verdict: VerdictSchema,
    faults: Type.Array(FaultSchema)
  }, closed), { description: 'One entry per delivery, with the result.' })
}, closed)

/** Adds `/api/quarantine`. */
export function addQuarantineRoutes (app: App, { operator, noteAction, loyalty: loyaltyReader }: { readonly operator: Operator, readonly noteAction: NoteAction, readonly loyalty: LoyaltyReader }): void {
  app.get('/api/quarantine', {
    schema: {
      operationId: 'listQuarantine',
      summary: 'Quarantined deliveries, newest first',
      tags: ['Quarantine'],
      querystring: Type.Object({ loyalty: LoyaltyParameter, ...pageParameters }, closed),
      response: { 200: Type.Object({ deliveries: Type.Array(ListedSchema), next: NextSchema }, closed), ...answerProblems }
    }
  }, async ({ query: { cursor, limit, loyalty } }) => {
    const { items, next } = await operator.page({ filter: { status: 'quarantined' }, before: readCursor(cursor), limit: limit ?? DEFAULT_LIMIT })
    return { deliveries: withLoyalty(items.map(describeListed), loyalty === undefined ? undefined : await loyaltyReader.read(items)), next: cursorOf(next) }
  })

  app.post('/api/quarantine/release', {
    schema: {
      operationId: 'releaseFromQuarantine',
      summary: 'Validate deliveries again, and release those that are valid now',
      tags: ['Quarantine'],
      body: Type.Object({ ids: IdsSchema, force: Type.Optional(Type.Boolean({ description: 'Whether to release deliveries that are still invalid too.' })) }, closed),
      response: { 200: ReleasedSchema, ...answerProblems }
    }
  }, async (request) => {
    const { ids, force = false } = request.body
    const found = await findDeliveries(operator, ids)
    const action = { action: 'release' as const, from: 'quarantine' as const, force }
    const results = await noteIfUnsure(operator.release({ sequences: found.map(({ sequence }) => sequence), force }), () => {
      noteAction(request, { ...action, deliveryIds: found.map(({ id }) => id), ended: 'unknown' })
    })
    const released = results.map(({ sequence, status, verdict, faults }) => {
      return { id: found.find((each) => each.sequence === sequence)?.id ?? '', status, verdict, faults: [...faults] }
    })
    const out = released.filter(({ status }) => status === 'released').map(({ id }) => id)
    noteAction(request, { ...action, deliveryIds: out, count: out.length })
    return { released }
  })

  app.post('/api/quarantine/discard', {
    schema: {
      operationId: 'discardFromQuarantine',
      summary: 'Remove deliveries from quarantine for good',
      tags: ['Quarantine'],
      body: Type.Object({ ids: IdsSchema }, closed),
      response: { 200: DiscardedSchema, ...answerProblems }
    }
  }, async (request) => {
    const action = { action: 'discard' as const, from: 'quarantine' as const }
    const { ids } = request.body
    const { discarded, gone } = await noteIfUnsure(discardDeliveries(operator, ids, { from: 'quarantine' }), () => { noteAction(request, { ...action, deliveryIds: ids, ended: 'unknown' }) })
    noteAction(request, { ...action, deliveryIds: gone, count: gone.length })
    return { discarded }
  })
}
