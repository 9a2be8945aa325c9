import { Type, type TSchema } from '@sinclair/typebox'
import { WebhookStatusSchema, type WebhookStatus } from '../sender-watch/webhook-status.js'
import { answerProblems } from './answers.js'
import { DriftSchema, PatienceSchema, SilenceSchema, type Drift, type Patience, type Silence } from './reports.js'
import type { AdminApp } from './route-types.js'
import { StatusSchema, type Status } from './status.js'

type Report<T> = (() => T | Promise<T>) | undefined

export interface StatusRouteOptions {
  readonly status: () => Promise<Status>
  /** What Prometheus reads. */
  readonly metrics?: { readonly contentType: string, readonly text: () => Promise<string> } | undefined
  readonly drift?: Report<Drift>
  readonly patience?: Report<Patience>
  readonly silence?: Report<Silence>
  readonly webhookStatus?: Report<WebhookStatus>
}

/** Adds `/api/status`, the reports that there are, and `/metrics`. */
export function addStatusRoutes (app: AdminApp, { status, metrics, drift, patience, silence, webhookStatus }: StatusRouteOptions): void {
  function addReport (name: string, summary: string, schema: TSchema, report: Report<unknown>): void {
    if (report === undefined) return
    const path = name.replace(/(?!^)[A-Z]/g, '-$&').toLowerCase()
    app.get(`/api/${path}`, {
      schema: { operationId: `get${name}`, summary, tags: ['Service'], response: { 200: schema, ...answerProblems } }
    }, async () => await report())
  }

  addReport('Status', 'How the service is', StatusSchema, status)
  addReport('Drift', 'How authentic bodies differed from their schemas', DriftSchema, drift)
  addReport('Patience', 'How far the sender\'s patience is used up', PatienceSchema, patience)
  addReport('Silence', 'Which expected events stay away', SilenceSchema, silence)
  addReport('WebhookStatus', 'How the webhook stands at Voucherify', WebhookStatusSchema, webhookStatus)

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
