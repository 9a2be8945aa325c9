import type { Static } from '@sinclair/typebox'
import type { ReplayedSchema } from '../admin-api/api-deliveries.js'
import type { ForwarderSchema } from '../admin-api/api-forwarders.js'
import type { DeadLetterSchema, DetailsSchema, ListedSchema } from '../admin-api/describe-deliveries.js'
import type { Drift, MissingEvents, RetryBudget } from '../sender-watch/reports.js'

export type { BulkJob, Reasons } from '../admin-api/bulk.js'
export type { RecordedAction } from '../admin-api/operator-action.js'
export type { Loyalty } from '../admin-api/loyalty.js'
export type { Need } from '../admin-api/needs.js'
export type { HistoryReport } from '../history/report-history.js'
export type { Status } from '../admin-api/status.js'
export type { WebhookStatus } from '../sender-watch/webhook-status.js'

export type ListedDelivery = Static<typeof ListedSchema>
export type DeliveryDetails = Static<typeof DetailsSchema>
export type ForwarderStatus = ListedDelivery['forwarders'][number]
export type RecordedAttempt = DeliveryDetails['attempts'][number]
export type DeadLetter = Static<typeof DeadLetterSchema>
export type ForwarderState = Static<typeof ForwarderSchema>
export type Replayed = Static<typeof ReplayedSchema>
export type Difference = Drift['differences'][number]
export type FailedSource = RetryBudget['sources'][number]
export type Unproven = RetryBudget['unproven']
export type Expectation = MissingEvents['expectations'][number]

/** A page of the list of deliveries. `next` is the cursor of the next page. */
export interface DeliveryPage {
  readonly deliveries: readonly ListedDelivery[]
  readonly next: string | null
}
