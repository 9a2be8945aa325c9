import { findNeeds, type Need } from '../admin-api/needs.js'
import type { Status } from '../admin-api/status.js'
import type { KnownForwarder } from '../delivery/operator-requests.js'

export type { Need, Status }

export interface StoredNeedsOptions {
  readonly forwarders: readonly KnownForwarder[]
  readonly quarantined: number
  /** The names of the configured forwarders. */
  readonly configured: readonly string[]
}

/** Finds what needs an operator's attention from the store alone, for when no service runs that could be asked. */
export function storedNeeds ({ forwarders, quarantined, configured }: StoredNeedsOptions): readonly Need[] {
  return findNeeds({
    reasons: [],
    store: { forwarders, quarantined },
    running: configured.map((name) => ({ name, breakerState: () => 'closed', isPaused: () => forwarders.find((each) => each.name === name)?.paused === true })),
    failingSince: () => undefined,
    retryBudget: { sources: [] },
    missingEvents: { expectations: [] },
    webhookStatus: { checks: [], failure: null },
    now: 0
  })
}
