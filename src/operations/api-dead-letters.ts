import { Type } from '@sinclair/typebox'
import type { Operator } from '../delivery/operator.js'
import { answerProblems } from './answers.js'
import { DiscardedSchema, ForceSchema, IdsSchema, ReplayedSchema } from './api-deliveries.js'
import { cursorOf, DEFAULT_LIMIT, NextSchema, pageParameters, readCursor } from './cursor.js'
import { DeadLetterSchema, describeDeadLetter } from './describe-deliveries.js'
import { findDeliveries, knownForwarders } from './find-deliveries.js'
import type { AdminApp } from './route-types.js'

const closed = { additionalProperties: false }
const Name = Type.String({ minLength: 1, maxLength: 200 })

/** Adds `/api/dead-letters`. */
export function addDeadLetterRoutes (app: AdminApp, { operator }: { readonly operator: Operator }): void {
  app.get('/api/dead-letters', {
    schema: {
      operationId: 'listDeadLetters',
      summary: 'What forwarders gave up on, newest first',
      tags: ['Dead letters'],
      querystring: Type.Object({
        forwarder: Type.Optional(Name),
        eventType: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'Exact, or with `*` for any run of characters.' })),
        ...pageParameters
      }, closed),
      response: { 200: Type.Object({ deadLetters: Type.Array(DeadLetterSchema), next: NextSchema }, closed), ...answerProblems }
    }
  }, async ({ query: { cursor, limit, forwarder, eventType } }) => {
    const { items, next } = await operator.deadLetterPage({ forwarder, eventType, before: readCursor(cursor), limit: limit ?? DEFAULT_LIMIT })
    if (items.length === 0 && forwarder !== undefined) await knownForwarders(operator, [forwarder])
    return { deadLetters: items.map(describeDeadLetter), next: cursorOf(next) }
  })

  app.post('/api/dead-letters/replay', {
    schema: {
      operationId: 'replayDeadLetters',
      summary: 'Forward dead letters again, to the forwarder that gave up on them',
      tags: ['Dead letters'],
      body: Type.Object({ forwarder: Name, ids: IdsSchema, force: ForceSchema }, closed),
      response: { 200: ReplayedSchema, ...answerProblems }
    }
  }, async ({ body: { forwarder, ids, force = false }, log }) => {
    await knownForwarders(operator, [forwarder])
    const found = await findDeliveries(operator, ids)
    const dead = new Set<number>()
    for (const { sequence } of found) {
      // Between two sequences there is one delivery, and it is listed only where it is a dead letter of this forwarder.
      const [listed] = await operator.deadLetters({ forwarder, before: sequence + 1, limit: 1 })
      if (listed?.sequence === sequence && !listed.replaying) dead.add(sequence)
    }
    const { replays, passedOver, filtered, refused } = await operator.replay({
      sequences: [...dead], forwarders: [forwarder], force, finishedOnly: false, description: 'dead letters, asked for at the operator\'s listener', dryRun: false
    })
    log.info({ deliveryIds: found.filter(({ sequence }) => dead.has(sequence)).map(({ id }) => id), forwarders: [forwarder], replays }, 'replay asked for')
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
  }, async ({ body: { forwarder, ids }, log }) => {
    await knownForwarders(operator, [forwarder])
    const found = await findDeliveries(operator, ids)
    const results = await operator.discard({ from: 'dead letters', forwarder, sequences: found.map(({ sequence }) => sequence) })
    const discarded = results.map(({ sequence, status }) => ({ id: found.find((each) => each.sequence === sequence)?.id ?? '', status }))
    log.info({ deliveryIds: discarded.filter(({ status }) => status === 'discarded').map(({ id }) => id), forwarders: [forwarder] }, 'dead letters discarded')
    return { discarded }
  })
}
