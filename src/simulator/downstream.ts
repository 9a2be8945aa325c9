import type { Acknowledged } from './acknowledged.js'

/** A place where acknowledged events should come out. */
export interface Downstream {
  /** What it is, for a person. */
  readonly name: string
  /** Notes what is there before the first event is sent. */
  readonly begin: () => Promise<void>
  /** Looks once, at what has come since the last look, or at everything since the beginning, and notes in the ledger what it finds. */
  readonly look: (acknowledged: Acknowledged, options: LookOptions) => Promise<void>
  /** Why an event was not found, where that can be told. */
  readonly explain?: (index: number) => string | undefined
  readonly close: () => Promise<void>
}

export interface LookOptions {
  /** Whether to count everything again from the beginning. */
  readonly again: boolean
  readonly signal: AbortSignal
}

/** It can't be looked at. The message tells what to do. */
export class DownstreamError extends Error {
  readonly code = 'DOWNSTREAM'

  constructor (message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'DownstreamError'
  }
}
