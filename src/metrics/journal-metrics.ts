import { Counter, Histogram, type Registry } from 'prom-client'
import type { Observer } from '../delivery/observation.js'

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
const DELIVERIES = [1, 2, 5, 10, 20, 50, 100, 200, 500]

/** Counts the commits of the journal. */
export function createJournalMetrics (registry: Registry): Pick<Observer, 'committed' | 'quarantineEvicted'> {
  const registers = [registry]
  const duration = new Histogram({ name: 'tierhook_journal_commit_duration_seconds', help: 'Time until a commit is on disk.', buckets: SECONDS, registers })
  const deliveries = new Histogram({ name: 'tierhook_journal_commit_deliveries', help: 'New deliveries and duplicates in one commit; commits of progress alone are left out.', buckets: DELIVERIES, registers })
  const failures = new Counter({ name: 'tierhook_journal_commit_failures_total', help: 'Failed commits. The webhooks in them were refused.', registers })
  const evicted = new Counter({ name: 'tierhook_quarantine_evicted_total', help: 'Deliveries that were removed from quarantine because its share of the store was full.', registers })
  return {
    quarantineEvicted: (count) => { evicted.inc(count) },
    committed (commit) {
      if (commit.error !== undefined) {
        failures.inc()
        return
      }
      duration.observe(commit.ms / 1000)
      if (commit.deliveries > 0) deliveries.observe(commit.deliveries)
    }
  }
}
