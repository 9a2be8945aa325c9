/** What the operator's API answers, as far as the page shows it. */
export interface Fault {
  readonly pointer: string
  readonly message: string
}

export interface Standing {
  readonly forwarder: string
  readonly standing: 'forwarded' | 'pending' | 'waiting' | 'dead' | 'quarantined' | 'damaged' | 'earlier'
  readonly attempt?: number
  readonly dueAt?: string
  readonly diedAt?: string
  readonly reason?: string
  readonly replay?: boolean
}

export interface ListedDelivery {
  readonly sequence: number
  readonly id: string
  readonly receivedAt: string
  readonly eventType: string
  readonly verdict: 'valid' | 'invalid' | 'unvalidated'
  readonly hold: 'none' | 'quarantined' | 'released' | 'damaged'
  readonly sourceObject: string | null
  readonly sourceId: string | null
  readonly eventId: string | null
  readonly projectId: string | null
  readonly customerId: string | null
  readonly campaignId: string | null
  readonly duplicates: number
  readonly bodyBytes: number
  readonly faults: readonly Fault[]
  readonly forwarders: readonly Standing[]
}

export interface DeliveryPage {
  readonly deliveries: readonly ListedDelivery[]
  readonly next: string | null
}

export interface RecordedAttempt {
  readonly forwarder: string
  readonly replay: boolean
  readonly attempt: number
  readonly startedAt: string
  readonly durationMs: number
  readonly outcome: string
  readonly detail: string | null
}

export interface DeliveryDetails extends ListedDelivery {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
  readonly bodyBase64: string | null
  readonly damaged: boolean
  readonly attempts: readonly RecordedAttempt[]
}

export interface DeadLetter {
  readonly forwarder: string
  readonly id: string
  readonly eventType: string
  readonly customerId: string | null
  readonly receivedAt: string
  readonly diedAt: string
  readonly attempts: number
  readonly reason: string
  readonly replaying: boolean
}

export interface ForwarderState {
  readonly name: string
  readonly configured: boolean
  readonly type?: string
  readonly destination?: string
  readonly pending: number
  readonly waiting: number
  readonly dead: number
  readonly oldestReceivedAt: string | null
  readonly breaker: string
  readonly paused: boolean
}

export interface Difference {
  readonly eventType: string
  readonly kind: string
  readonly pointer: string
  readonly expected: string
  readonly seen: string
  readonly count: number
  readonly firstAt: string
  readonly lastAt: string
}

export interface FailedSource {
  readonly sourceId: string
  readonly proven: boolean
  readonly triesUsed: number
  readonly triesAllowed: number
  readonly failedEvents: number
  readonly firstFailureAt: string
  readonly lastFailureAt: string
  readonly disabledAt: string
  readonly lastCode: string
  readonly recovered: boolean
}

export interface Expectation {
  readonly expectation: string
  readonly withinMs: number
  readonly lastAt: string | null
  readonly silentMs: number
  readonly silent: boolean
}

export interface Status {
  readonly version: string
  readonly startedAt: string
  readonly ready: boolean
  readonly reasons: readonly string[]
  readonly storeBytes: number | null
  readonly diskFreeBytes: number | null
}

export interface Replayed {
  readonly replays: number
  readonly passedOver: number
  readonly refused: ReadonlyArray<{ readonly why: string }>
}
