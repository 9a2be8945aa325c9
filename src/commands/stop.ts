import type { CommandContext } from './context.js'
import { signalNumbers } from './command-line.js'

export interface Stop {
  /** Aborted by the first signal that asks to stop. */
  readonly signal: AbortSignal
  /** What the process ends with when a signal has stopped it half-way, as shells expect it. */
  readonly exitCode: () => number
}

/** Lets long work find out that it is to stop; a second signal ends the process at once. */
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
