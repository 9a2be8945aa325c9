import { driftAdvice } from '../voucherify/drift.js'
import type { DriftReport } from './drift.js'
import type { FailedSource } from './failed-source.js'
import type { Drift, MissingEvents, RetryBudget } from './reports.js'
import type { ExpectationState } from './missing-events.js'
import type { UnprovenReport } from './unproven.js'

function isoTime (ms: number): string {
  return new Date(ms).toISOString()
}

/** Returns drift in the form of the operator API. */
export function reportDrift ({ differences, dropped }: DriftReport): Drift {
  return { differences: differences.map(({ firstAt, lastAt, place: _, ...rest }) => ({ ...rest, firstAt: isoTime(firstAt), lastAt: isoTime(lastAt), advice: driftAdvice[rest.kind] ?? null })), dropped }
}

/** Returns the retry budget in the form of the operator API. */
export function reportRetryBudget (sources: readonly FailedSource[], { signedAt, refused, addresses }: UnprovenReport): RetryBudget {
  return {
    sources: sources.map(({ firstFailureAt, lastFailureAt, disabledAt, ...rest }) => ({
      ...rest,
      proven: true,
      firstFailureAt: isoTime(firstFailureAt),
      lastFailureAt: isoTime(lastFailureAt),
      disabledAt: rest.recovered ? null : isoTime(disabledAt)
    })),
    unproven: {
      signedAt: signedAt === null ? null : isoTime(signedAt),
      refused: refused.map(({ since, lastAt, disabledAt, ...rest }) => ({ ...rest, since: isoTime(since), lastAt: isoTime(lastAt), disabledAt: isoTime(disabledAt) })),
      addresses: addresses.map(({ firstAt, lastAt, ...rest }) => ({ ...rest, firstAt: isoTime(firstAt), lastAt: isoTime(lastAt) }))
    }
  }
}

/** Returns missing events in the form of the operator API. */
export function reportMissingEvents (states: readonly ExpectationState[]): MissingEvents {
  return { expectations: states.map(({ lastAt, ...rest }) => ({ ...rest, lastAt: lastAt === null ? null : isoTime(lastAt) })) }
}
