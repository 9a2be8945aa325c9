import { Type } from '@sinclair/typebox'
import type { FastifyRequest } from 'fastify'
import type { Operator } from '../delivery/operator.js'
import { Problem } from '../errors/problem.js'
import type { App } from '../http/app.js'
import { answerProblems } from '../http/problem-answer.js'
import type { NoteAction } from './audit.js'
import { BulkJobSchema, BulkRequestSchema, createBulk, From, ReasonsSchema } from './bulk.js'
import { knownForwarders } from './find-deliveries.js'
import { RecordedActionSchema, type RecordedAction } from './operator-action.js'

export interface BulkRouteOptions {
  readonly operator: Operator
  readonly onChange: () => void
  readonly now?: () => number
  readonly noteAction: NoteAction
  /** Keeps a request's address, token name and logger for an action that ends after the answer. */
  readonly rememberWho: (request: FastifyRequest) => Parameters<NoteAction>[0]
  /** Returns operators' actions, newest first. */
  readonly actions?: (limit: number) => Promise<readonly RecordedAction[]>
}

const closed = { additionalProperties: false }
const MAX_ACTIONS = 200

/** Adds `/api/bulk`, `/api/reasons` and `/api/actions`. */
export function addBulkRoutes (app: App, { operator, onChange, now = Date.now, noteAction, rememberWho, actions }: BulkRouteOptions): void {
  const bulk = createBulk({ operator, onChange, now })
  app.addHook('preClose', async () => { bulk.close() })

  app.get('/api/reasons', {
    schema: {
      operationId: 'listReasons',
      summary: 'Reasons of dead letters and of quarantine, each with its number of deliveries',
      tags: ['Dead letters', 'Quarantine'],
      querystring: Type.Object({ from: Type.Optional(From) }, closed),
      response: { 200: ReasonsSchema, ...answerProblems }
    }
  }, async ({ query }) => await bulk.reasons(query.from))

  app.get('/api/bulk', {
    schema: {
      operationId: 'listBulkActions',
      summary: 'Running and recent bulk actions',
      tags: ['Dead letters', 'Quarantine'],
      response: { 200: Type.Object({ jobs: Type.Array(BulkJobSchema, { description: 'Newest first.' }) }, closed), ...answerProblems }
    }
  }, async () => ({ jobs: [...bulk.jobs()] }))

  app.post('/api/bulk', {
    schema: {
      operationId: 'startBulkAction',
      summary: 'Replay, release or discard all deliveries with the same reason, at a rate',
      tags: ['Dead letters', 'Quarantine'],
      body: BulkRequestSchema,
      response: { 200: BulkJobSchema, ...answerProblems }
    }
  }, async (request) => {
    const { body } = request
    if (body.from === 'dead letters') await knownForwarders(operator, [body.forwarder])
    const who = rememberWho(request)
    return await bulk.start(body, ({ state, done, ratePerSecond }) => {
      noteAction(who, {
        action: body.action,
        from: body.from,
        // The text after the colon is what the destination answered, which may contain personal data.
        filter: { reason: body.reason.split(':', 1)[0]?.slice(0, 100) ?? '', ratePerSecond: String(ratePerSecond) },
        ...(body.from === 'dead letters' ? { forwarders: [body.forwarder] } : {}),
        count: done,
        ...(state === 'stopped' || state === 'failed' ? { ended: state } : {})
      })
    })
  })

  app.post('/api/bulk/:id/stop', {
    schema: {
      operationId: 'stopBulkAction',
      summary: 'Stop a bulk action. What it has done stays done',
      tags: ['Dead letters', 'Quarantine'],
      params: Type.Object({ id: Type.String({ pattern: '^\\d{1,15}$' }) }, closed),
      body: Type.Object({}, closed),
      response: { 200: BulkJobSchema, ...answerProblems }
    }
  }, async ({ params }) => {
    const job = bulk.stop(Number(params.id))
    if (job === undefined) throw new Problem('NOT_FOUND', { detail: 'There is no bulk action with this id. Old ones are forgotten, and a restart forgets all.' })
    return job
  })

  if (actions === undefined) return
  app.get('/api/actions', {
    schema: {
      operationId: 'listActions',
      summary: 'What operators did, newest first',
      tags: ['Service'],
      response: { 200: Type.Object({ actions: Type.Array(RecordedActionSchema) }, closed), ...answerProblems }
    }
  }, async () => ({ actions: [...await actions(MAX_ACTIONS)] }))
}
