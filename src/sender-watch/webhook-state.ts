import type { Logger } from 'pino'
import type { Clock } from '../delivery/clock.js'
import { CANNOT_SEE, checkNames, type CheckName, type Finding, type WebhookStatus } from './webhook-status.js'

export interface WebhookStateOptions {
  readonly logger: Logger
  readonly clock: Clock
}

/** What is known of the webhook at the sender. Changes are logged. */
export interface WebhookState {
  readonly found: (findings: readonly Finding[]) => void
  /** All requests were answered. */
  readonly answered: () => void
  /** A request was not answered. */
  readonly failed: (reason: string) => void
  readonly switchedOn: (webhookId: string) => void
  readonly status: () => WebhookStatus
}

interface Known {
  readonly finding: Finding
  /** Wall-clock time since when the check is in this state. */
  readonly since: number
  /** When the sender last answered this check, in monotonic time. */
  readonly toldAt: number
}

/** Three rounds. A check that was ok counts as unknown if it was not repeated within this time, in milliseconds. */
const STALE_MS = 900_000
const MAX_KEPT = 20
/** The checks whose failure loses events until an operator acts. */
const URGENT: ReadonlySet<CheckName> = new Set<CheckName>(['webhook', 'active', 'secret'])

export function createWebhookState ({ logger, clock }: WebhookStateOptions): WebhookState {
  const known = new Map<CheckName, Known>()
  const switchedOn: Array<{ readonly webhookId: string, readonly at: string }> = []
  let switchedOnCount = 0
  let failure: { readonly reason: string, readonly since: string } | null = null
  let askedAt: string | null = null
  let answeredAt = clock.monotonic()

  function logChange ({ check, state, detail }: Finding): void {
    if (state === 'ok') logger.info({ check, detail }, 'webhook status ok')
    else if (state === 'unknown') logger.warn({ check, detail }, 'webhook status unknown')
    else if (URGENT.has(check)) logger.error({ check, detail }, 'webhook status wrong')
    else logger.warn({ check, detail }, 'webhook status wrong')
  }

  function told (each: Known): WebhookStatus['checks'][number] {
    const since = new Date(each.since).toISOString()
    if (each.finding.state !== 'ok' || clock.monotonic() - each.toldAt < STALE_MS) return { ...each.finding, since }
    return { check: each.finding.check, state: 'unknown', detail: `Voucherify does not say this any more. What it said last: ${each.finding.detail}`, since }
  }

  return {
    found (findings) {
      for (const finding of findings) {
        const before = known.get(finding.check)
        const changed = before?.finding.state !== finding.state
        known.set(finding.check, { finding, since: changed ? clock.now() : before.since, toldAt: clock.monotonic() })
        if (changed) logChange(finding)
      }
    },
    answered () {
      if (failure !== null) logger.info({ since: failure.since }, 'management api answers again')
      failure = null
      askedAt = new Date(clock.now()).toISOString()
      answeredAt = clock.monotonic()
    },
    failed (reason) {
      if (failure?.reason !== reason) logger.warn({ reason }, 'management api does not answer')
      failure = { reason, since: failure?.since ?? new Date(clock.now()).toISOString() }
    },
    switchedOn (webhookId) {
      switchedOnCount++
      switchedOn.push({ webhookId, at: new Date(clock.now()).toISOString() })
      if (switchedOn.length > MAX_KEPT) switchedOn.shift()
    },
    status: () => ({
      watching: true,
      askedAt,
      unansweredMs: clock.monotonic() - answeredAt,
      failure,
      checks: checkNames.flatMap((name) => {
        const each = known.get(name)
        return each === undefined ? [] : [told(each)]
      }),
      switchedOn: [...switchedOn],
      switchedOnCount,
      cannotSee: CANNOT_SEE
    })
  }
}
