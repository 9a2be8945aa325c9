import type { CopyProgress } from '../composition/open-store.js'
import type { CommandContext } from './context.js'
import { startProgressBar, type ProgressBar } from '../terminal/progress-bar.js'

const units: Readonly<Record<CopyProgress['phase'], string>> = { copying: 'pages copied', checking: 'deliveries checked' }

/** A progress bar for a backup or a restore, a new one for each phase; nothing without a terminal. */
export function startCopyBar (context: Pick<CommandContext, 'stderr' | 'environment'>): { readonly show: (progress: CopyProgress) => void, readonly stop: () => void } {
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
