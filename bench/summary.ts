import type { Group, Latency, Measured, Run } from './measure.js'

/** A median, with the least and the greatest value. */
export interface Spread {
  readonly median: number
  readonly least: number
  readonly most: number
}

/** A row of the table. */
export interface Row {
  readonly row: string
  readonly group: string
  readonly variant: string
  readonly connections: number
  readonly eventsPerSecond: Spread
  /** The rate as a share of each baseline's rate in the same round. */
  readonly rateRatio: Readonly<Record<string, Spread>>
  readonly cpuMicrosecondsPerEvent: Spread
  /**
   * The CPU time of each baseline in the same round, divided by that of this variant. This would be the ratio of rates if only CPU time counted.
   */
  readonly cpuRatio: Readonly<Record<string, Spread>>
  /** The CPU time of the process that makes the load. */
  readonly loadMicrosecondsPerEvent?: number
  readonly latencyMs?: Latency
  readonly peakMebibytes?: number
}

export function summarise ({ name, connections, baselines }: Group, measured: readonly Measured[]): readonly Row[] {
  const bases = measured.filter((each) => baselines.includes(each.name))
  return measured.map((each) => ({
    row: rowName({ name, connections }, each.name),
    group: name,
    variant: each.name,
    connections,
    eventsPerSecond: spreadOf(each.runs.map(rateOf)),
    rateRatio: ratios(each, bases, (run, base) => rateOf(run) / rateOf(base)),
    cpuMicrosecondsPerEvent: spreadOf(each.runs.map(cpuOf)),
    cpuRatio: ratios(each, bases, (run, base) => cpuOf(base) / cpuOf(run)),
    ...loadOf(each.runs),
    ...latencyOf(each.runs),
    ...peakOf(each.runs)
  }))
}

/** Returns the name that `--only` is compared with. */
export function rowName ({ name, connections }: Pick<Group, 'name' | 'connections'>, variant: string): string {
  return `${name}/${variant}/${connections}`
}

export function spreadOf (values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  const median = ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2
  return { median, least: sorted[0] ?? NaN, most: sorted.at(-1) ?? NaN }
}

function rateOf ({ events, ms }: Run): number {
  return events / ms * 1000
}

function cpuOf ({ events, cpuMs }: Run): number {
  return cpuMs / events * 1000
}

function ratios (each: Measured, bases: readonly Measured[], ratio: (run: Run, base: Run) => number): Record<string, Spread> {
  return Object.fromEntries(bases.map((base) => [
    base.name,
    spreadOf(each.runs.flatMap((run, round) => {
      const other = base.runs[round]
      return other === undefined ? [] : [ratio(run, other)]
    }))
  ]))
}

function loadOf (runs: readonly Run[]): { loadMicrosecondsPerEvent?: number } {
  const loads = runs.flatMap(({ events, loadCpuMs }) => loadCpuMs === undefined ? [] : [loadCpuMs / events * 1000])
  return loads.length === 0 ? {} : { loadMicrosecondsPerEvent: spreadOf(loads).median }
}

function latencyOf (runs: readonly Run[]): { latencyMs?: Latency } {
  const latencies = runs.flatMap(({ latency }) => latency === undefined ? [] : [latency])
  if (latencies.length === 0) return {}
  const median = (key: keyof Latency): number => spreadOf(latencies.map((each) => each[key])).median
  return { latencyMs: { p50: median('p50'), p99: median('p99'), p999: median('p999') } }
}

function peakOf (runs: readonly Run[]): { peakMebibytes?: number } {
  const peaks = runs.flatMap(({ peakBytes }) => peakBytes === undefined ? [] : [peakBytes])
  return peaks.length === 0 ? {} : { peakMebibytes: Math.max(...peaks) / 1_048_576 }
}
