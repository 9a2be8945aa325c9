import { Type, type TSchema } from '@sinclair/typebox'
import { WebhookStatusSchema, type WebhookStatus } from '../sender-watch/webhook-status.js'
import { answerProblems } from '../http/problem-answer.js'
import type { NoteAction } from './audit.js'
import { HistorySchema, type HistoryReport } from '../history/report-history.js'
import { DriftSchema, MissingEventsSchema, RetryBudgetSchema, type Drift, type MissingEvents, type RetryBudget } from '../sender-watch/reports.js'
import type { App } from '../http/app.js'
import { StatusSchema, type Status } from './status.js'

const closed = { additionalProperties: false }

type Report<T> = (() => T | Promise<T>) | undefined

export interface StatusRouteOptions {
  readonly status: () => Promise<Status>
  /** The metrics in Prometheus' text format. */
  readonly metrics?: { readonly contentType: string, readonly text: () => Promise<string> } | undefined
  readonly drift?: Report<Drift>
  /** Forgets the drift seen so far. Returns the number of differences forgotten. */
  readonly resetDrift?: () => number
  readonly retryBudget?: Report<RetryBudget>
  readonly missingEvents?: Report<MissingEvents>
  readonly webhookStatus?: Report<WebhookStatus>
  readonly history?: Report<HistoryReport>
  readonly noteAction: NoteAction
}

/** Adds `/api/status`, the given reports, and `/metrics`. */
export function addStatusRoutes (app: App, { status, metrics, drift, resetDrift, retryBudget, missingEvents, webhookStatus, history, noteAction }: StatusRouteOptions): void {
  function addReport (name: string, summary: string, schema: TSchema, report: Report<unknown>): void {
    if (report === undefined) return
    const path = name.replace(/(?!^)[A-Z]/g, '-$&').toLowerCase()
    app.get(`/api/${path}`, {
      schema: { operationId: `get${name}`, summary, tags: ['Service'], response: { 200: schema, ...answerProblems } }
    }, async () => await report())
  }

  addReport('Status', 'State of the service', StatusSchema, status)
  addReport('Drift', 'How authentic bodies differed from their schemas', DriftSchema, drift)
  addReport('RetryBudget', 'How much of the sender\'s retry budget is used up', RetryBudgetSchema, retryBudget)
  addReport('MissingEvents', 'Which expected events are missing', MissingEventsSchema, missingEvents)
  addReport('WebhookStatus', 'State of the webhook at Voucherify', WebhookStatusSchema, webhookStatus)
  addReport('History', 'What happened in the last hour and day', HistorySchema, history)

  if (resetDrift !== undefined) {
    app.post('/api/drift/reset', {
      schema: {
        operationId: 'resetDrift',
        summary: 'Forget the drift seen so far, so that it is reported again',
        tags: ['Service'],
        body: Type.Object({}, closed),
        response: { 200: Type.Object({ forgotten: Type.Integer({ minimum: 0, description: 'How many differences there were.' }) }, closed), ...answerProblems }
      }
    }, async (request) => {
      const forgotten = resetDrift()
      noteAction(request, { action: 'reset drift' })
      return { forgotten }
    })
  }

  if (metrics === undefined) return
  const text = Type.String({ description: 'Prometheus\' text format.' })
  app.get('/metrics', {
    schema: {
      operationId: 'getMetrics',
      summary: 'Metrics, as Prometheus reads them',
      tags: ['Service'],
      response: { 200: { description: 'The metrics.', content: { 'text/plain': { schema: text } } }, ...answerProblems }
    }
  }, async (_request, reply) => await reply.type(metrics.contentType).serializer((body: string) => body).send(await metrics.text()))
}
