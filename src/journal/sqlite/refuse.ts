import type { PendingAppend } from './append-queue.js'

export interface RefuseOptions {
  readonly recordWithdrawals: (ids: readonly string[]) => Promise<void>
  readonly withdrawTimeoutMs: number
  readonly onDefect: (error: unknown) => void
}

/**
 * Refuses those that are not refused yet. `committing`: they may be on their way to the disk, so that they are refused is
 * written down before it is answered.
 */
export type Refuse = (appends: readonly PendingAppend[], problem: Error, state: 'queued' | 'committing') => void

export function createRefuse ({ recordWithdrawals, withdrawTimeoutMs, onDefect }: RefuseOptions): Refuse {
  /** A disk that does not answer may not take this either: the refusal is given in time all the same. */
  async function recordInTime (ids: readonly string[]): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const timeout = new Promise<void>((resolve) => { timer = setTimeout(resolve, withdrawTimeoutMs) })
    await Promise.race([recordWithdrawals(ids), timeout])
    clearTimeout(timer)
  }

  return (appends, problem, state) => {
    const waiting = appends.filter((pending) => !pending.abandoned)
    if (waiting.length === 0) return
    for (const pending of waiting) pending.abandoned = true
    const recorded = state === 'committing' ? recordInTime(waiting.map(({ delivery }) => delivery.id)) : Promise.resolve()
    recorded.then(() => { for (const pending of waiting) pending.reject(problem) }).catch(onDefect)
  }
}
