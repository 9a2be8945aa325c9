import { Type, type Static } from '@sinclair/typebox'
import type { KnownForwarder } from '../delivery/operator-requests.js'
import type { MissingEvents, RetryBudget } from '../sender-watch/reports.js'
import type { WebhookStatus } from '../sender-watch/webhook-status.js'
import type { RunningForwarder } from './api-forwarders.js'
import { isoTime, Time } from './describe-deliveries.js'

/** Kinds of needs, most urgent first. */
export const needKinds = ['not ready', 'store', 'webhook', 'destination down', 'forwarder not led', 'retry budget', 'dead letters', 'missing events', 'quarantine', 'forwarder paused', 'forwarder not configured'] as const

/** A destination counts as down after failing for this long, even if its circuit breaker is closed. */
const FAILING_MS = 60_000

export const NeedSchema = Type.Object({
  kind: Type.Union(needKinds.map((kind) => Type.Literal(kind))),
  text: Type.String({ description: 'The need as a clause: `gifts has 39 dead letters`.' }),
  forwarder: Type.Optional(Type.String()),
  count: Type.Optional(Type.Integer({ minimum: 0 })),
  since: Type.Optional(Time)
}, { additionalProperties: false })

export type Need = Static<typeof NeedSchema>

export interface NeedSources {
  /** Why the service is not ready; empty if it is ready. */
  readonly reasons: readonly string[]
  /** `undefined` if the store cannot be read. */
  readonly store: { readonly forwarders: readonly KnownForwarder[], readonly quarantined: number } | undefined
  readonly running: ReadonlyArray<Pick<RunningForwarder, 'name' | 'breakerState' | 'isPaused'>>
  /** When the forwarder's attempts began to fail without a success since; `undefined` if they do not fail. */
  readonly failingSince: (forwarder: string) => number | undefined
  readonly retryBudget: Pick<RetryBudget, 'sources'>
  readonly missingEvents: MissingEvents
  readonly webhookStatus: Pick<WebhookStatus, 'checks' | 'failure'>
  readonly now: number
}

/** Finds what needs an operator, most urgent first. Empty only if everything is known to be well. */
export function findNeeds ({ reasons, store, running, failingSince, retryBudget, missingEvents, webhookStatus, now }: NeedSources): readonly Need[] {
  const needs: Need[] = reasons.map((reason) => ({ kind: 'not ready', text: `the service is not ready: ${reason}` }))
  if (store === undefined) needs.push({ kind: 'store', text: 'the store cannot be read' })
  for (const { state, detail, since } of webhookStatus.checks) if (state === 'wrong') needs.push({ kind: 'webhook', text: `the webhook at Voucherify is wrong: ${detail}`, since })
  if (webhookStatus.failure !== null) needs.push({ kind: 'webhook', text: 'the state of the webhook at Voucherify is unknown', since: webhookStatus.failure.since })
  for (const { name, breakerState, isPaused } of running) {
    const since = failingSince(name)
    if (breakerState() !== 'closed' || (since !== undefined && now - since > FAILING_MS)) {
      needs.push({ kind: 'destination down', text: `${name} is down`, forwarder: name, ...(since === undefined ? {} : { since: isoTime(since) }) })
    }
    if (isPaused()) needs.push({ kind: 'forwarder paused', text: `${name} is paused`, forwarder: name })
  }
  for (const { recovered, triesUsed, triesAllowed, sourceId, firstFailureAt } of retryBudget.sources) {
    if (!recovered && triesUsed > 0) needs.push({ kind: 'retry budget', text: `${sourceId} has used ${triesUsed} of Voucherify's ${triesAllowed} tries`, count: triesUsed, since: firstFailureAt })
  }
  for (const { name, dead, pending, retrying, leader, home } of store?.forwarders ?? []) {
    if (leader === null && running.some((each) => each.name === name)) {
      needs.push({ kind: 'forwarder not led', text: `${name} runs on no replica${typeof home === 'string' ? `: its home ${home} is away` : ''}`, forwarder: name })
    }
    if (dead > 0) needs.push({ kind: 'dead letters', text: `${name} has ${dead} dead letter${dead === 1 ? '' : 's'}`, forwarder: name, count: dead })
    const left = pending + retrying
    if (left > 0 && !running.some((each) => each.name === name)) {
      needs.push({ kind: 'forwarder not configured', text: `${left} deliver${left === 1 ? 'y waits' : 'ies wait'} for ${name}, which is not configured`, forwarder: name, count: left })
    }
  }
  for (const { expectation, missing, lastAt } of missingEvents.expectations) {
    if (missing) needs.push({ kind: 'missing events', text: `${expectation} is missing`, ...(lastAt === null ? {} : { since: lastAt }) })
  }
  const quarantined = store?.quarantined ?? 0
  if (quarantined > 0) needs.push({ kind: 'quarantine', text: `${quarantined} deliver${quarantined === 1 ? 'y is' : 'ies are'} in quarantine`, count: quarantined })
  return needs.sort((a, b) => needKinds.indexOf(a.kind) - needKinds.indexOf(b.kind))
}
