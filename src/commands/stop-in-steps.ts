import type { CommandContext } from './context.js'
import { signalNumbers } from './command-line.js'

export interface Steps {
  /** Aborted by the first stop signal. */
  readonly first: AbortSignal
  /** Aborted by the second stop signal. */
  readonly second: AbortSignal
  /** Returns the exit code: 0 without a signal, or else 128 plus the last signal's number. */
  readonly exitCode: () => number
}

/** Runs work of two parts: the first signal ends the first part, the second signal the second part. A third signal ends the process at once. */
export async function stopInSteps (context: CommandContext, work: (steps: Steps) => Promise<number>): Promise<number> {
  const first = new AbortController()
  const second = new AbortController()
  let exitCode = 0
  const unsubscribe = context.onStopSignal(signal => {
    exitCode = 128 + signalNumbers[signal]
    if (second.signal.aborted) context.exit(exitCode)
    else if (first.signal.aborted) second.abort()
    else first.abort()
  })
  try {
    return await work({ first: first.signal, second: second.signal, exitCode: () => exitCode })
  } finally {
    unsubscribe()
  }
}
