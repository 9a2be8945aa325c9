import type { CommandContext } from './context.js'
import { signalNumbers } from './command-line.js'

export interface Stop {
  /** Aborted by the first stop signal. */
  readonly signal: AbortSignal
  /** Returns the exit code after a signal: 128 plus the signal's number; 0 without a signal. */
  readonly exitCode: () => number
}

/** Runs work that can be stopped by a signal. A second signal ends the process at once. */
export async function untilStopped (context: CommandContext, work: (stop: Stop) => Promise<number>): Promise<number> {
  const controller = new AbortController()
  let exitCode = 0
  const unsubscribe = context.onStopSignal(signal => {
    if (controller.signal.aborted) context.exit(exitCode)
    exitCode = 128 + signalNumbers[signal]
    controller.abort()
  })
  try {
    return await work({ signal: controller.signal, exitCode: () => exitCode })
  } finally {
    unsubscribe()
  }
}
