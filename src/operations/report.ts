import type { DriftReport } from './drift.js'
import type { FailedSource } from './patience.js'
import type { Drift, Patience, Silence } from './reports.js'
import type { SilenceState } from './silence.js'

function isoTime (ms: number): string {
  return new Date(ms).toISOString()
}

/** Drift as the operator's listener answers it. */
export function reportDrift ({ differences, dropped }: DriftReport): Drift {
  return { differences: differences.map(({ firstAt, lastAt, ...rest }) => ({ ...rest, firstAt: isoTime(firstAt), lastAt: isoTime(lastAt) })), dropped }
}

/** Patience as the operator's listener answers it. */
export function reportPatience (sources: readonly FailedSource[]): Patience {
  return {
    sources: sources.map(({ firstFailureAt, lastFailureAt, disabledAt, trusted: _, ...rest }) => ({
      ...rest,
      firstFailureAt: isoTime(firstFailureAt),
      lastFailureAt: isoTime(lastFailureAt),
      disabledAt: rest.recovered ? null : isoTime(disabledAt)
    }))
  }
}

/** Silence as the operator's listener answers it. */
export function reportSilence (states: readonly SilenceState[]): Silence {
  return { expectations: states.map(({ lastAt, ...rest }) => ({ ...rest, lastAt: lastAt === null ? null : isoTime(lastAt) })) }
}
