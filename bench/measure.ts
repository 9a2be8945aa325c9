/** What one run of one variant gave. */
export interface Run {
  readonly events: number
  readonly ms: number
  /** CPU time of the process that is measured, all its threads, for all events. */
  readonly cpuMs: number
  /** CPU time of what makes the load, for all events: it has the same cores. */
  readonly loadCpuMs?: number
  readonly latency?: Latency
  /** The most resident memory so far, in bytes. */
  readonly peakBytes?: number
}

/** Percentiles, in milliseconds. */
export interface Latency {
  readonly p50: number
  readonly p99: number
  readonly p999: number
}

export interface Variant {
  readonly name: string
  readonly open: () => Promise<OpenVariant>
}

export interface OpenVariant {
  readonly run: (events: number) => Promise<Run>
  readonly close: () => Promise<void>
}

/** Variants of the same work, measured by turns. */
export interface Group {
  readonly name: string
  readonly connections: number
  /** The variants that the others are compared with, by name. */
  readonly baselines: readonly string[]
  readonly variants: readonly Variant[]
}

export interface MeasureOptions {
  readonly rounds: number
  /** About how long one run takes. */
  readonly seconds: number
  readonly onRound: (round: number) => void
}

export interface Measured {
  readonly name: string
  readonly runs: readonly Run[]
}

const LEAST_EVENTS = 50
const MOST_EVENTS = 60_000

/**
 * Runs every variant once a round, one after another, so that what else the machine does hits all of them alike. The order
 * turns from round to round. All variants handle the same number of events.
 */
export async function measureGroup ({ variants }: Pick<Group, 'variants'>, { rounds, seconds, onRound }: MeasureOptions): Promise<readonly Measured[]> {
  const open: Array<{ readonly name: string, readonly variant: OpenVariant, readonly runs: Run[] }> = []
  try {
    for (const { name, open: start } of variants) open.push({ name, variant: await start(), runs: [] })
    const events = await warmUp(open.map(({ variant }) => variant), seconds)
    for (let round = 0; round < rounds; round++) {
      onRound(round + 1)
      for (let turn = 0; turn < open.length; turn++) {
        const each = open[(round + turn) % open.length]
        each?.runs.push(await each.variant.run(events))
      }
    }
    return open
  } finally {
    for (const { variant } of open) await variant.close()
  }
}

/**
 * Lets code be compiled, and finds out how many events make a run: each runs ever more events until they take long enough to
 * tell its rate.
 */
async function warmUp (variants: readonly OpenVariant[], seconds: number): Promise<number> {
  let fastest = 0
  for (const variant of variants) {
    for (let events = Math.max(LEAST_EVENTS, Math.round(1000 * seconds)); ; events *= 2) {
      const run = await variant.run(Math.min(events, MOST_EVENTS))
      fastest = Math.max(fastest, run.events / run.ms * 1000)
      if (run.ms >= seconds * 1000 / 3 || events >= MOST_EVENTS) break
    }
  }
  return Math.min(MOST_EVENTS, Math.max(LEAST_EVENTS, Math.round(fastest * seconds)))
}
