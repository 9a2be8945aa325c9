import progress from 'cli-progress'
import { isSteerable, type Output, type Terminal } from './output.js'

export interface ProgressBar {
  readonly update: (done: number) => void
  readonly stop: () => void
}

/** Starts a bar that is full at `total`; `what` is the unit. Shows nothing without a terminal that can overwrite a line. */
export function startProgressBar (context: Terminal & { readonly stderr: Output }, total: number, what = ''): ProgressBar {
  if (!isSteerable(context.stderr, context)) return { update: () => {}, stop: () => {} }
  const bar = new progress.SingleBar({
    stream: context.stderr,
    format: `{bar} {percentage}%  {value}/{total}${what === '' ? '' : ` ${what}`}  {eta_formatted} left`,
    clearOnComplete: true,
    // With it, the first Ctrl-C would stop the bar instead of the command.
    gracefulExit: false
  }, progress.Presets.shades_classic)
  bar.start(total, 0)
  return { update: done => { bar.update(done) }, stop: () => { bar.stop() } }
}
