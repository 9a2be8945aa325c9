import { latch } from '../support/latch.js'

/** Before the commit gets to the disk, or after it, when only its answer is missing. */
export type StallPhase = 'before' | 'after'

/** A disk that hangs at each commit. */
export interface Stall {
  readonly isOn: () => boolean
  readonly begin: (phase: StallPhase) => void
  readonly end: () => void
  /** Resolves at once where it does not hang here. */
  readonly pass: (phase: StallPhase) => Promise<void>
}

export function createStall (): Stall {
  let now: { readonly phase: StallPhase, readonly open: () => void, readonly opened: Promise<void> } | undefined
  return {
    isOn: () => now !== undefined,
    begin (phase) { now ??= { phase, ...latch() } },
    end () {
      now?.open()
      now = undefined
    },
    async pass (phase) { if (now?.phase === phase) await now.opened }
  }
}
