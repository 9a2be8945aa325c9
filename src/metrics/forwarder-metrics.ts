import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Outcome } from '../delivery/forwarder.js'
import type { KnownForwarder } from '../delivery/operator-requests.js'
import type { Observer } from '../delivery/observation.js'

/** The state of a configured forwarder in this process. */
export interface ForwarderState {
  readonly name: string
  /** Whether the circuit breaker has paused the forwarder. */
  readonly breakerOpen: boolean
  /** Whether a person has paused the forwarder. */
  readonly paused: boolean
  /** Whether the forwarder runs on this replica, if replicas share a journal; absent if there is only one service. */
  readonly leads?: boolean
}

export interface ForwarderMetrics {
  readonly observer: Observer
  /** Updates the gauges. `known`: the forwarders as the store knows them; `undefined` if the store cannot tell. */
  readonly look: (states: readonly ForwarderState[], known: readonly KnownForwarder[] | undefined) => void
}

const SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
const OUTCOMES: ReadonlyArray<Outcome['status']> = ['forwarded', 'retry', 'dead']

/** Counts what forwarders do. Labels are configured names only, so no sender can add one. */
export function createForwarderMetrics (registry: Registry, { names, now }: { readonly names: readonly string[], readonly now: () => number }): ForwarderMetrics {
  const registers = [registry]
  const labelNames = ['forwarder'] as const
  const attempts = new Counter({ name: 'tierhook_forwarder_attempts_total', help: 'Attempts by outcome.', labelNames: ['forwarder', 'outcome'], registers })
  const duration = new Histogram({ name: 'tierhook_forwarder_attempt_duration_seconds', help: 'Duration of a call of a forwarder, with one or several attempts.', labelNames, buckets: SECONDS, registers })
  const backlog = new Gauge({ name: 'tierhook_forwarder_backlog_deliveries', help: 'Deliveries that a forwarder has not finished.', labelNames, registers })
  const oldest = new Gauge({ name: 'tierhook_forwarder_oldest_waiting_seconds', help: 'Age of the oldest delivery that a forwarder has not finished; 0 if there is none.', labelNames, registers })
  const dead = new Gauge({ name: 'tierhook_dead_letters', help: 'Deliveries that a forwarder has given up on.', labelNames, registers })
  const breaker = new Gauge({ name: 'tierhook_forwarder_breaker_open', help: 'Whether a forwarder is paused because its destination fails: 1 or 0.', labelNames, registers })
  const paused = new Gauge({ name: 'tierhook_forwarder_paused', help: 'Whether an operator has paused a forwarder: 1 or 0.', labelNames, registers })
  const leads = new Gauge({ name: 'tierhook_leads', help: 'Whether a forwarder runs on this replica, if several share a journal: 1 or 0.', labelNames, registers })

  const counters = new Map(names.map((name) => {
    // Create the series now, so that the first attempt shows as an increase.
    for (const outcome of OUTCOMES) attempts.inc({ forwarder: name, outcome }, 0)
    return [name, {
      duration: duration.labels(name),
      forwarded: attempts.labels(name, 'forwarded'),
      retry: attempts.labels(name, 'retry'),
      dead: attempts.labels(name, 'dead')
    }]
  }))

  return {
    observer: {
      attemptsEnded ({ forwarder, counts, durationMs }) {
        const counted = counters.get(forwarder)
        if (counted === undefined) return
        counted.duration.observe(durationMs / 1000)
        for (const outcome of OUTCOMES) if (counts[outcome] > 0) counted[outcome].inc(counts[outcome])
      }
    },

    look (states, known) {
      for (const gauge of [backlog, oldest, dead]) gauge.reset()
      for (const { name, breakerOpen, paused: isPaused, leads: isLed } of states) {
        if (isLed !== undefined) leads.set({ forwarder: name }, isLed ? 1 : 0)
        breaker.set({ forwarder: name }, breakerOpen ? 1 : 0)
        paused.set({ forwarder: name }, isPaused ? 1 : 0)
        const stored = known?.find((each) => each.name === name)
        if (stored === undefined) continue
        backlog.set({ forwarder: name }, stored.pending + stored.retrying)
        oldest.set({ forwarder: name }, stored.oldestReceivedAt === null ? 0 : Math.max(0, (now() - stored.oldestReceivedAt) / 1000))
        dead.set({ forwarder: name }, stored.dead)
      }
    }
  }
}
