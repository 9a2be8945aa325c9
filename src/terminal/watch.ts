import { isSteerable, type Output, type Terminal } from './output.js'
import { pause } from '../delivery/within.js'

export interface WatchOptions {
  readonly everyMs: number
  readonly signal: AbortSignal
}

/** Moves to the upper left corner. */
const HOME = '\u001B[H'
const CLEAR = '\u001B[H\u001B[2J'
/** Clear from the cursor to the end of the line, and of the screen. */
const CLEAR_LINE = '\u001B[K'
const CLEAR_REST = '\u001B[J'

/** Prints a text again and again until the signal aborts. On a terminal, each text overwrites the one before, so that the screen does not flicker. */
export async function watch (output: Output, terminal: Terminal, { everyMs, signal }: WatchOptions, render: () => Promise<string>): Promise<void> {
  const steerable = isSteerable(output, terminal)
  if (steerable) output.write(CLEAR)
  for (let first = true; !signal.aborted; first = false) {
    const text = await render()
    if (steerable) output.write(`${HOME}${text.replaceAll('\n', `${CLEAR_LINE}\n`)}${CLEAR_REST}`)
    else output.write(first ? text : `\n${text}`)
    await pause(everyMs, signal)
  }
}
