import type { Acknowledged } from './acknowledged.js'

/** A place where acknowledged events should arrive. */
export interface Downstream {
  /** The name of the place, for people. */
  readonly name: string
  /** Notes what is there before the first event is sent. */
  readonly begin: () => Promise<void>
  /** Looks once, either at what is new since the last look or at everything since `begin`. Notes the events found in the ledger. */
  readonly look: (acknowledged: Acknowledged, options: LookOptions) => Promise<void>
  /** Returns why an event was not found, if known. */
  readonly explain?: (index: number) => string | undefined
  readonly close: () => Promise<void>
}

export interface LookOptions {
  /** Whether to count everything since `begin` again. */
  readonly again: boolean
  readonly signal: AbortSignal
}

/** The place cannot be examined. The message says what to do. */
export class DownstreamError extends Error {
  readonly code = 'DOWNSTREAM'

  constructor (message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'DownstreamError'
  }
}
