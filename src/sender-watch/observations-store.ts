import type { Observations } from './observations.js'

/** Where what was noticed is kept from one run to the next: in a file, or in rows of a database, where replicas find what others have noticed. */
export interface ObservationsStore {
  /** How often it is to be exchanged, in milliseconds. */
  readonly everyMs: number
  /** What tells people where that is, in the log. */
  readonly where: Readonly<Record<string, string>>
  /** What an earlier run has kept for this one alone. */
  readonly read: () => Promise<Observations | undefined>
  /** Keeps what was noticed here, and resolves with what others have. */
  readonly exchange: (text: string, options: ExchangeOptions) => Promise<Exchanged>
  /** Has all others forget drift. */
  readonly resetDrift: () => Promise<void>
  readonly close: () => Promise<void>
}

export interface ExchangeOptions {
  /** Whether it cannot wait for a better time. */
  readonly atOnce: boolean
  /** Makes one of what replicas have left behind that are gone. Absent where another one does it. */
  readonly merge: ((kept: readonly KeptText[]) => string) | undefined
}

export interface KeptText {
  readonly text: string
  /** Whether its drift has not been reset since. */
  readonly isDriftCurrent: boolean
}

export interface Exchanged {
  readonly others: readonly KeptText[]
  /**
   * What is to be forgotten here; then nothing was kept, and it is to be called again. `drift`: somebody has reset it. `all`: it was taken for
   * what a replica has left behind that is gone, and others keep it by now.
   */
  readonly forget?: 'drift' | 'all'
}
