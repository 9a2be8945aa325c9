import type { Machine } from './machine.js'
import type { Row, Spread } from './summary.js'

export interface Report {
  readonly machine: Machine
  readonly rounds: number
  readonly seconds: number
  readonly rows: readonly Row[]
  /** The rows that could not be measured here. */
  readonly leftOut: ReadonlyArray<{ readonly row: string, readonly why: string }>
}

export function toMarkdown ({ machine, rounds, seconds, rows, leftOut }: Report): string {
  const head = `${machine.cpus} × ${machine.cpu}, ${machine.memoryGibibytes} GiB, ${machine.system}; node ${machine.versions.node}, ` +
    `fastify ${machine.versions.fastify}, undici ${machine.versions.undici}, SQLite ${machine.versions.sqlite}; ` +
    `4 KiB fsync ${fixed(machine.fsyncMs, 2)} ms; load ${fixed(machine.loadAverage, 1)} at the start. ` +
    `Medians of ${rounds} rounds of ${seconds} s a row, each by a new process that had run as long before, in brackets the least and the most; ratios are of runs in the same round. ` +
    'What makes the load runs on the same cores as what is measured: there a rate also tells who wakes whom, and CPU time an event compares better.'
  const groups = [...new Set(rows.map(({ group }) => group))]
  return [head, ...groups.map((group) => tableOf(group, rows.filter((row) => row.group === group))), ...leftOut.map(({ row, why }) => `${row} is left out: ${why}.`)].join('\n\n')
}

function tableOf (group: string, rows: readonly Row[]): string {
  const baselines = [...new Set(rows.flatMap((row) => Object.keys(row.rateRatio)))]
  const withLatency = rows.some(({ latencyMs }) => latencyMs !== undefined)
  const withLoad = rows.some(({ loadMicrosecondsPerEvent }) => loadMicrosecondsPerEvent !== undefined)
  const columns = [
    group, 'connections', 'CPU µs/event', ...baselines.map((name) => `CPU to ${name}`), 'events/s', ...baselines.map((name) => `rate to ${name}`),
    ...withLoad ? ['load CPU µs/event'] : [], ...withLatency ? ['p50 ms', 'p99 ms', 'p99.9 ms'] : [], 'peak MiB'
  ]
  const lines = rows.map((row) => [
    row.variant,
    String(row.connections),
    withSpread(row.cpuMicrosecondsPerEvent, 0),
    ...baselines.map((name) => withSpread(row.cpuRatio[name], 2)),
    withSpread(row.eventsPerSecond, 0),
    ...baselines.map((name) => withSpread(row.rateRatio[name], 2)),
    ...withLoad ? [fixed(row.loadMicrosecondsPerEvent, 0)] : [],
    ...withLatency ? [row.latencyMs?.p50, row.latencyMs?.p99, row.latencyMs?.p999].map((ms) => fixed(ms, 2)) : [],
    fixed(row.peakMebibytes, 0)
  ])
  return [columns, columns.map((_column, index) => index === 0 ? '---' : '---:'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function withSpread (spread: Spread | undefined, digits: number): string {
  return spread === undefined ? '' : `${fixed(spread.median, digits)} (${fixed(spread.least, digits)}–${fixed(spread.most, digits)})`
}

function fixed (value: number | undefined, digits: number): string {
  return value === undefined ? '' : value.toFixed(digits)
}
