import type { SentTally } from './steady-senders.js'

/** The faults that are caused at random. */
export const faultKinds = ['kill', 'stop', 'full disk', 'disk stalls', 'disk fails', 'destination', 'clock'] as const
export type FaultKind = typeof faultKinds[number]

export interface FaultReport {
  readonly seed: number
  readonly rounds: number
  readonly faults: Readonly<Record<FaultKind, number>>
  /** Whether the disk was a real file system that can be full. */
  readonly mounted: boolean
  readonly acknowledged: number
  readonly duplicates: number
  readonly unanswered: number
  /** Answers with status 503. */
  readonly refused: number
  readonly destinationRequests: number
  readonly memoryPeakMiB: number
  /** From the end of a fault until the next accepted webhook, in milliseconds: median and maximum. */
  readonly recoveryMs: { readonly median: number, readonly worst: number }
  /** From the end of the last fault until every forwarder had every event, in milliseconds. */
  readonly drainMs: number
  /** Each entry breaks a promise. */
  readonly broken: {
    readonly lost: readonly string[]
    readonly twiceInFile: readonly string[]
    readonly refusedAndForwarded: readonly string[]
    readonly outOfOrder: readonly string[]
    readonly otherAnswers: readonly string[]
    readonly tornLines: number
  }
}

/** The events that reached the forwarders, by event id. */
export interface Arrivals {
  readonly logged: ReadonlySet<string>
  /** How often each event reached the destination. */
  readonly arrived: ReadonlyMap<string, number>
  /** Each customer's moves, in the order in which they first reached the destination. */
  readonly moves: ReadonlyMap<string, readonly number[]>
  /** The lines of the file at the end. */
  readonly lines?: { readonly ids: readonly string[], readonly torn: number }
}

export function makeReport (facts: Omit<FaultReport, 'acknowledged' | 'duplicates' | 'unanswered' | 'refused' | 'recoveryMs' | 'broken'>, tally: SentTally, arrivals: Arrivals): FaultReport {
  const sorted = tally.recoveries.toSorted((a, b) => a - b)
  return {
    ...facts,
    acknowledged: tally.acknowledged.size,
    duplicates: tally.duplicates,
    unanswered: tally.unanswered,
    refused: tally.refusals,
    recoveryMs: { median: Math.round(sorted[sorted.length >> 1] ?? 0), worst: Math.round(sorted.at(-1) ?? 0) },
    broken: whatIsBroken(tally, arrivals)
  }
}

function whatIsBroken ({ acknowledged, refused, otherAnswers }: SentTally, { logged, arrived, moves, lines }: Arrivals): FaultReport['broken'] {
  const inFile = new Map<string, number>()
  for (const id of lines?.ids ?? []) inFile.set(id, (inFile.get(id) ?? 0) + 1)
  return {
    lost: lines === undefined ? [] : [...acknowledged].flatMap((id) => [...inFile.has(id) ? [] : [`${id} in the file`], ...arrived.has(id) ? [] : [`${id} at the destination`], ...logged.has(id) ? [] : [`${id} in the log`]]),
    twiceInFile: [...inFile].filter(([, count]) => count > 1).map(([id]) => id),
    refusedAndForwarded: [...refused].filter((id) => inFile.has(id) || arrived.has(id) || logged.has(id)),
    outOfOrder: [...moves].filter(([, each]) => each.some((move, index) => index > 0 && move < (each[index - 1] ?? 0))).map(([customer]) => customer),
    otherAnswers,
    tornLines: lines?.torn ?? 0
  }
}

/** Whether no promise is broken in a report. */
export function isKept ({ broken }: FaultReport): boolean {
  return Object.values(broken).every((each) => typeof each === 'number' ? each === 0 : each.length === 0)
}
