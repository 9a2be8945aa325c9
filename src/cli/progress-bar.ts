import progress from 'cli-progress'
import type { Output } from './context.js'

/** A progress bar on a terminal. */
export interface ProgressBar {
  readonly update: (done: number) => void
  readonly stop: () => void
}

/** Starts a bar that is full at `total` of `what`; without a terminal it shows nothing. */
export function startProgressBar (output: Output, total: number, what = ''): ProgressBar {
  if (output.isTTY !== true) return { update: () => {}, stop: () => {} }
  const bar = new progress.SingleBar({
    stream: output,
    format: `{bar} {percentage}%  {value}/{total}${what === '' ? '' : ` ${what}`}  {eta_formatted} left`,
    clearOnComplete: true,
    // With it, the first Ctrl-C would stop the bar and not the command.
    gracefulExit: false
  }, progress.Presets.shades_classic)
  bar.start(total, 0)
  return { update: done => { bar.update(done) }, stop: () => { bar.stop() } }
}
