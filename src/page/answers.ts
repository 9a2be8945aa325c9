import type { Static } from '@sinclair/typebox'
import type { ReplayedSchema } from '../operations/api-deliveries.js'
import type { ForwarderSchema } from '../operations/api-forwarders.js'
import type { DeadLetterSchema, DetailsSchema, ListedSchema } from '../operations/describe-deliveries.js'
import type { Drift, Patience, Silence } from '../operations/reports.js'

export type { Status } from '../operations/status.js'
export type { WebhookStatus } from '../sender-watch/webhook-status.js'

export type ListedDelivery = Static<typeof ListedSchema>
export type DeliveryDetails = Static<typeof DetailsSchema>
export type Standing = ListedDelivery['forwarders'][number]
export type RecordedAttempt = DeliveryDetails['attempts'][number]
export type DeadLetter = Static<typeof DeadLetterSchema>
export type ForwarderState = Static<typeof ForwarderSchema>
export type Replayed = Static<typeof ReplayedSchema>
export type Difference = Drift['differences'][number]
export type FailedSource = Patience['sources'][number]
export type Expectation = Silence['expectations'][number]

/** A page of the list of deliveries; `next` is the cursor of the one after it. */
export interface DeliveryPage {
  readonly deliveries: readonly ListedDelivery[]
  readonly next: string | null
}
