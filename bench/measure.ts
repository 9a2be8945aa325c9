/** The result of one run of one variant. */
export interface Run {
  readonly events: number
  readonly ms: number
  /** CPU time of the measured process, all its threads, for all events. */
  readonly cpuMs: number
  /** CPU time of the process that makes the load, for all events. It shares the cores with the measured process. */
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
  /** Why the variant cannot be measured here. */
  readonly leftOut?: string | false
  readonly open: () => Promise<OpenVariant>
}

export interface OpenVariant {
  readonly run: (events: number) => Promise<Run>
  readonly close: () => Promise<void>
}

/** Variants of the same work, measured in turn. */
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
 * Runs every variant once a round, one after another, so that other work of the machine affects all of them alike. The order changes from round
 * to round. Each round has its own processes, because two processes with the same code may differ by a fifth for their whole lives. All variants
 * handle the same number of events.
 */
export async function measureGroup ({ variants }: Pick<Group, 'variants'>, { rounds, seconds, onRound }: MeasureOptions): Promise<readonly Measured[]> {
  const measured = variants.map(({ name, open }) => ({ name, open, runs: [] as Run[] }))
  let events: number | undefined
  for (let round = 0; round < rounds; round++) {
    onRound(round + 1)
    const first = round % measured.length
    const opened: Array<{ readonly variant: OpenVariant, readonly runs: Run[] }> = []
    try {
      for (const { open, runs } of [...measured.slice(first), ...measured.slice(0, first)]) opened.push({ variant: await open(), runs })
      let fastest = 0
      for (const { variant } of opened) fastest = Math.max(fastest, await warmUp(variant, seconds))
      events ??= Math.min(MOST_EVENTS, Math.max(LEAST_EVENTS, Math.round(fastest * seconds)))
      for (const { variant, runs } of opened) runs.push(await variant.run(events))
    } finally {
      for (const { variant } of opened) await variant.close()
    }
  }
  return measured
}

/** Lets Node compile the code: runs more and more events for as long as a measurement takes. Returns the best rate, in events per second. */
async function warmUp (variant: OpenVariant, seconds: number): Promise<number> {
  let fastest = 0
  let takenMs = 0
  for (let events = Math.max(LEAST_EVENTS, Math.round(1000 * seconds)); takenMs < seconds * 1000; events = Math.min(MOST_EVENTS, events * 2)) {
    const run = await variant.run(events)
    fastest = Math.max(fastest, run.events / run.ms * 1000)
    takenMs += run.ms
  }
  return fastest
}
