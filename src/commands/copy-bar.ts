import type { CopyProgress } from '../composition/open-store.js'
import { exitCodes } from './command-line.js'
import type { CommandContext } from './context.js'
import { startProgressBar, type ProgressBar } from '../terminal/progress-bar.js'
import { untilStopped } from './stop.js'

const units: Readonly<Record<CopyProgress['phase'], string>> = { copying: 'pages copied', checking: 'deliveries checked' }

/** Shows a new progress bar for each phase of a copy. Shows nothing without a terminal. */
function startCopyBar (context: CommandContext): { readonly show: (progress: CopyProgress) => void, readonly stop: () => void } {
  let current: { readonly phase: string, readonly bar: ProgressBar } | undefined
  return {
    show ({ phase, done, of }) {
      if (current?.phase !== phase) {
        current?.bar.stop()
        current = { phase, bar: startProgressBar(context, of, units[phase]) }
      }
      current.bar.update(done)
    },
    stop () { current?.bar.stop() }
  }
}

export interface CopyOptions<T> {
  readonly copy: (options: { readonly onProgress: (progress: CopyProgress) => void, readonly signal: AbortSignal }) => Promise<T>
  /** Prints the result. */
  readonly report: (copied: T) => void
  /** Message printed if a signal stopped the copy. */
  readonly whenStopped: string
}

/** Copies a store with a progress bar until a signal stops it. Resolves with the exit code. */
export async function copyStore<T> (context: CommandContext, { copy, report, whenStopped }: CopyOptions<T>): Promise<number> {
  return await untilStopped(context, async (stop) => {
    const bar = startCopyBar(context)
    try {
      const copied = await copy({ onProgress: bar.show, signal: stop.signal })
      bar.stop()
      report(copied)
      return exitCodes.ok
    } catch (error) {
      if (!stop.signal.aborted) throw error
      context.stderr.write(`${whenStopped}\n`)
      return stop.exitCode()
    } finally {
      bar.stop()
    }
  })
}
