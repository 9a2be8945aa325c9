import type { CommandContext } from './context.js'
import { signalNumbers } from './command-line.js'

export interface Steps {
  /** Aborted by the first signal that asks to stop. */
  readonly first: AbortSignal
  /** Aborted by the second one. */
  readonly second: AbortSignal
  /** What the process ends with: 0 where nothing has stopped it, as shells expect it where a signal has. */
  readonly exitCode: () => number
}

/** Lets long work in two parts end one part after the other; a third signal ends the process at once. */
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
