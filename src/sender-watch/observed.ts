import type { Logger } from 'pino'
import type { WebhookAnswer } from '../delivery/observation.js'
import { createDriftFinder } from '../voucherify/drift.js'
import { createDrift, type Drift, type DriftReport } from './drift.js'
import { createMissingEvents, type Expectation, type MissingEvents } from './missing-events.js'
import type { Observations } from './observations.js'
import { createRetryBudget, type RetryBudget } from './retry-budget.js'
import { createUnproven, type Origin, type Unproven } from './unproven.js'
import type { WebhookStatus } from './webhook-status.js'

export interface ObservedOptions {
  readonly expectations: readonly Expectation[]
  readonly logger: Logger
  readonly now: () => number
  /** Whether this replica, of several, raises alarms. */
  readonly leads: () => boolean
  /** The status of the webhook at the sender, if this replica asks. */
  readonly webhookStatus: () => WebhookStatus
}

/** All observations of the sender: this replica's own, combined with those of the other replicas. */
export interface Observed {
  readonly answered: (answer: WebhookAnswer) => void
  /** Returns this replica's observations, to be kept. */
  readonly keep: () => Observations
  /** Takes over what an earlier run has kept. */
  readonly restore: (earlier: Observations) => void
  /** Called regularly with the observations of the other replicas; `undefined` if they cannot be read now. Gives the alarms that are due. */
  readonly heard: (others: readonly Observations[] | undefined) => void
  /** Forgets this replica's observations: drift only, or all because another replica has merged them. */
  readonly forget: (what: 'drift' | 'all') => void
  readonly merge: (all: readonly Observations[]) => Observations
  readonly drift: () => DriftReport
  readonly driftTotals: Drift['totals']
  readonly retryBudget: RetryBudget['sources']
  readonly unproven: Unproven['report']
  readonly missingEvents: MissingEvents
  readonly webhookStatus: () => WebhookStatus
}

type Counts = Pick<Observations, 'drift' | 'retryBudget' | 'unproven'>

export function createObserved ({ expectations, logger, now, leads, webhookStatus }: ObservedOptions): Observed {
  const finder = createDriftFinder()
  const toldOfSources = new Map<string, number>()
  const toldOfUnproven = new Map<Origin, number>()
  const missingEvents = createMissingEvents({ expectations, logger, now, tells: leads })
  let others: readonly Observations[] = []
  /** Whether the other replicas cannot be heard. The leader is unknown then, and several alarms are better than none. */
  let apart = false
  const tells = (): boolean => apart || leads()
  let own = createCounts()

  function createCounts (isWhole = (): boolean => others.length === 0) {
    const drift = createDrift({ now, finder })
    const retryBudget = createRetryBudget({ logger, now, told: toldOfSources, tells, isWhole })
    const unproven = createUnproven({ logger, now, told: toldOfUnproven, tells, isWhole })
    return {
      drift,
      retryBudget,
      unproven,
      restore (earlier: Counts): void {
        drift.restore(earlier.drift)
        retryBudget.restore(earlier.retryBudget)
        unproven.restore(earlier.unproven)
      },
      keep: (): Counts => ({ drift: drift.report(), retryBudget: retryBudget.keep(), unproven: unproven.keep() })
    }
  }

  function sum (all: readonly Counts[]): ReturnType<typeof createCounts> {
    const counts = createCounts(() => true)
    for (const each of all) counts.restore(untold(each))
    return counts
  }

  function whole (): ReturnType<typeof createCounts> {
    return others.length === 0 ? own : sum([own.keep(), ...others])
  }

  function keep (): Observations {
    const status = webhookStatus()
    return {
      ...own.keep(),
      missingEvents: missingEvents.keep(),
      ...status.watching && leads() ? { webhook: { status: { ...status, unansweredMs: 0 }, answeredAt: toSecond(now() - status.unansweredMs) } } : {}
    }
  }

  return {
    answered (answer) {
      own.retryBudget.answered(answer)
      own.unproven.answered(answer)
      if (answer.outcome === 'refused') return
      missingEvents.accepted(answer)
      own.drift.accepted(answer)
    },
    keep,
    restore (earlier) {
      own.restore(earlier)
      missingEvents.restore(earlier.missingEvents)
    },
    heard (all) {
      apart = all === undefined
      if (all !== undefined) {
        others = all
        own.retryBudget.heard(all.map(({ retryBudget }) => retryBudget))
        own.unproven.heard(all.map(({ unproven }) => unproven))
        for (const each of all) missingEvents.restore(each.missingEvents)
      }
      if (tells()) {
        const { retryBudget, unproven } = whole()
        retryBudget.check()
        unproven.check()
      } else {
        toldOfSources.clear()
        toldOfUnproven.clear()
      }
    },
    forget (what) {
      if (what === 'all') own = createCounts()
      else {
        own.drift.reset()
        others = others.map((each) => ({ ...each, drift: { differences: [], dropped: 0 } }))
      }
    },
    merge (all) {
      for (const each of all) missingEvents.restore(each.missingEvents)
      return { ...sum(all).keep(), missingEvents: missingEvents.keep() }
    },
    drift: () => whole().drift.report(),
    driftTotals: () => own.drift.totals(),
    retryBudget: () => whole().retryBudget.sources(),
    unproven: () => whole().unproven.report(),
    missingEvents,
    webhookStatus () {
      const [latest] = leads() ? [] : others.flatMap(({ webhook }) => webhook ?? []).sort((a, b) => timeOf(b) - timeOf(a))
      return latest === undefined ? webhookStatus() : { ...latest.status, unansweredMs: Math.max(0, now() - latest.answeredAt) }
    }
  }
}

/** Leaves out which alarms another replica has given. After a change of leader, the new leader gives them again. */
function untold ({ drift, retryBudget, unproven }: Counts): Counts {
  return {
    drift,
    retryBudget: { ...retryBudget, sources: retryBudget.sources.map((source) => ({ ...source, alarmed: 0 })) },
    unproven: { ...unproven, refused: unproven.refused.map((refusal) => ({ ...refusal, told: 0 })) }
  }
}

function timeOf ({ status: { askedAt } }: NonNullable<Observations['webhook']>): number {
  return askedAt === null ? 0 : Date.parse(askedAt)
}

/** Rounds to a second. The text is written only if it differs, so it must not change all the time. */
function toSecond (ms: number): number {
  return Math.round(ms / 1000) * 1000
}
