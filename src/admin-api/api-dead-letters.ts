import { Type } from '@sinclair/typebox'
import type { Operator } from '../delivery/operator.js'
import { answerProblems } from '../http/problem-answer.js'
import { DiscardedSchema, ForceSchema, IdsSchema, ReplayedSchema } from './api-deliveries.js'
import { noteIfUnsure, type NoteAction } from './audit.js'
import { cursorOf, DEFAULT_LIMIT, NextSchema, pageParameters, readCursor } from './cursor.js'
import { LoyaltyParameter, type LoyaltyReader } from './loyalty.js'
import { DeadLetterSchema, describeDeadLetter, withLoyalty } from './describe-deliveries.js'
import { discardDeliveries, findDeliveries, knownForwarders } from './find-deliveries.js'
import type { App } from '../http/app.js'
import { MAX_ID_LENGTH } from '../voucherify/identify.js'

const closed = { additionalProperties: false }
const Name = Type.String({ minLength: 1, maxLength: 200 })

/** Adds `/api/dead-letters`. */
export function addDeadLetterRoutes (app: App, { operator, noteAction, loyalty: loyaltyReader }: { readonly operator: Operator, readonly noteAction: NoteAction, readonly loyalty: LoyaltyReader }): void {
  app.get('/api/dead-letters', {
    schema: {
      operationId: 'listDeadLetters',
      summary: 'Dead letters, newest first',
      tags: ['Dead letters'],
      querystring: Type.Object({
        forwarder: Type.Optional(Name),
        eventType: Type.Optional(Type.String({ minLength: 1, maxLength: MAX_ID_LENGTH, description: 'Exact, or with `*` for any run of characters.' })),
        loyalty: LoyaltyParameter,
        ...pageParameters
      }, closed),
      response: { 200: Type.Object({ deadLetters: Type.Array(DeadLetterSchema), next: NextSchema }, closed), ...answerProblems }
    }
  }, async ({ query: { cursor, limit, forwarder, eventType, loyalty } }) => {
    const { items, next } = await operator.deadLetterPage({ forwarder, eventType, before: readCursor(cursor), limit: limit ?? DEFAULT_LIMIT })
    if (items.length === 0 && forwarder !== undefined) await knownForwarders(operator, [forwarder])
    return { deadLetters: withLoyalty(items.map(describeDeadLetter), loyalty === undefined ? undefined : await loyaltyReader.read(items)), next: cursorOf(next) }
  })

  app.post('/api/dead-letters/replay', {
    schema: {
      operationId: 'replayDeadLetters',
      summary: 'Forward dead letters again, to the forwarder that gave up on them',
      tags: ['Dead letters'],
      body: Type.Object({ forwarder: Name, ids: IdsSchema, force: ForceSchema }, closed),
      response: { 200: ReplayedSchema, ...answerProblems }
    }
  }, async (request) => {
    const { forwarder, ids, force = false } = request.body
    await knownForwarders(operator, [forwarder])
    const found = await findDeliveries(operator, ids)
    const dead = new Set<number>()
    for (const { sequence } of found) {
      // `before: sequence + 1` with limit 1 lists this delivery only if it is a dead letter of this forwarder.
      const [listed] = await operator.deadLetters({ forwarder, before: sequence + 1, limit: 1 })
      if (listed?.sequence === sequence && !listed.replaying) dead.add(sequence)
    }
    const action = { action: 'replay' as const, from: 'dead letters' as const, forwarders: [forwarder], force }
    const { replays, passedOver, filtered, refused } = await noteIfUnsure(operator.replay({
      sequences: [...dead], forwarders: [forwarder], force, finishedOnly: false, description: 'dead letters, asked for at the operator\'s listener', dryRun: false
    }), () => { noteAction(request, { ...action, deliveryIds: found.flatMap(({ sequence, id }) => dead.has(sequence) ? [id] : []), ended: 'unknown' }) })
    const again = found.filter(({ sequence }) => dead.has(sequence) && !refused.some((each) => each.sequence === sequence)).map(({ id }) => id)
    noteAction(request, { ...action, deliveryIds: again, count: replays })
    const why = new Map(refused.map((each) => [each.sequence, each.why]))
    return {
      replays,
      passedOver,
      filtered,
      refused: found.flatMap(({ sequence, id }) => dead.has(sequence) && !why.has(sequence) ? [] : [{ id, why: why.get(sequence) ?? 'not dead' as const }])
    }
  })

  app.post('/api/dead-letters/discard', {
    schema: {
      operationId: 'discardDeadLetters',
      summary: 'Remove dead letters of a forwarder for good',
      tags: ['Dead letters'],
      body: Type.Object({ forwarder: Name, ids: IdsSchema }, closed),
      response: { 200: DiscardedSchema, ...answerProblems }
    }
  }, async (request) => {
    const { forwarder, ids } = request.body
    await knownForwarders(operator, [forwarder])
    const action = { action: 'discard' as const, from: 'dead letters' as const, forwarders: [forwarder] }
    const { discarded, gone } = await noteIfUnsure(discardDeliveries(operator, ids, { from: 'dead letters', forwarder }), () => { noteAction(request, { ...action, deliveryIds: ids, ended: 'unknown' }) })
    noteAction(request, { ...action, deliveryIds: gone, count: gone.length })
    return { discarded }
  })
}
