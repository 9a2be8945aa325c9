import type { Observations } from './observations.js'

/** Keeps observations between runs: in a file, or in rows of a database, where replicas read one another's observations. */
export interface ObservationsStore {
  /** How often `exchange` should be called, in milliseconds. */
  readonly everyMs: number
  /** Log fields that tell an operator where the observations are. */
  readonly where: Readonly<Record<string, string>>
  /** Returns what an earlier run kept, if only this service uses it. */
  readonly read: () => Promise<Observations | undefined>
  /** Keeps this replica's observations, and resolves with those of the others. */
  readonly exchange: (text: string, options: ExchangeOptions) => Promise<Exchanged>
  /** Makes all other replicas forget drift. */
  readonly resetDrift: () => Promise<void>
  readonly close: () => Promise<void>
}

export interface ExchangeOptions {
  /** Whether to write now, and not at the next regular time. */
  readonly atOnce: boolean
  /** Merges the observations of replicas that are gone. Absent if another replica does so. */
  readonly merge: ((kept: readonly KeptText[]) => string) | undefined
}

export interface KeptText {
  readonly text: string
  /** Whether drift has not been reset since. */
  readonly isDriftCurrent: boolean
}

export interface Exchanged {
  readonly others: readonly KeptText[]
  /**
   * What this replica must forget. Nothing was kept then, and `exchange` must be called again. `drift`: drift was reset. `all`: another replica
   * took this one for gone, and has merged its observations.
   */
  readonly forget?: 'drift' | 'all'
}
