import type { Journal } from '../../src/delivery/journal.js'
import type { Operator } from '../../src/delivery/operator.js'
import type { CapturedLog } from '../support/capture-log.js'
import type { FakeTime } from '../support/fake-time.js'
import type { Stall } from './stall.js'

/** `lost`: the commit is on disk, and the answer says that it failed. */
export const faults = ['full', 'io error', 'lost'] as const
export type Fault = typeof faults[number]

/** Statements of the journal's writer that fail, or at which the process dies. */
export interface StatementFaults {
  /** Whether the writer is at work: what others do does not count. */
  writing: boolean
  /** From now on the writer's statements are counted, before and after each; at this one it happens. */
  readonly arm: (fault: Fault | 'crash', points: number, tear: number) => void
  readonly disarm: () => void
  /** Stands between the code and the database no longer. */
  readonly unhook: () => void
}

/** What an engine has stored, by its own account. */
export interface StoredRows {
  /** The last delivery that a cursor must come to. */
  readonly lastSequence: number
  readonly deliveries: ReadonlyArray<{ readonly sequence: number, readonly id: string, readonly hold: number, readonly duplicates: number }>
  readonly forwarders: ReadonlyArray<{ readonly name: string, readonly cursor: number, readonly began: number, readonly position: string | null }>
  readonly waiting: ReadonlyArray<{ readonly forwarder: string, readonly sequence: number, readonly replay: number, readonly kind: string | null }>
  readonly dead: ReadonlyArray<{ readonly forwarder: string, readonly sequence: number }>
}

export const nothingStored: StoredRows = { lastSequence: 0, deliveries: [], forwarders: [], waiting: [], dead: [] }

export interface ModelJournal extends Journal {
  readonly start: () => Promise<void>
}

export interface OpenModelJournal {
  readonly dataDir: string
  /** The names of the forwarders that it has beside the file. */
  readonly configured: readonly string[]
  readonly log: CapturedLog
  readonly time: FakeTime
  readonly dedupeWindowMs: number
  readonly retentionMs: number
  readonly faults: StatementFaults
  /** To be passed before and after each commit. */
  readonly stall: Stall
  /** These are stored, and the process is not told in time: each stays one delivery. */
  readonly onUnsure: (ids: readonly string[]) => void
}

export interface CreatedJournal {
  readonly journal: ModelJournal
  /** Lets what stores end by itself. */
  readonly endStore: () => void
  /** Nothing of the process gets to the store from now on. Returns what it has left there. */
  readonly kill: () => StoredRows | Promise<StoredRows>
}

/** What the model does with an engine: it puts each through the same. */
export interface ModelEngine {
  /** Whether processes lead their forwarders by leases. */
  readonly leases: boolean
  /** Makes an empty store for a run. */
  readonly prepare: () => Promise<void>
  /** What is under way in other processes. */
  readonly busy: () => Promise<void> | undefined
  /** Makes the journal of one process. */
  readonly create: (options: OpenModelJournal) => CreatedJournal
  readonly openOperator: (place: { readonly dataDir: string, readonly now: () => number }) => Operator
  readonly readStored: (dataDir: string) => StoredRows | Promise<StoredRows>
  /** Whether a file of the data folder is the store's: what a kill leaves of it is never further on than what it leaves of others. */
  readonly isStore: (file: string) => boolean
  /** @param die what happens where the process dies; resolves once it has */
  readonly faults: (die: (tear: number) => void | Promise<void>, time: FakeTime) => StatementFaults
}
