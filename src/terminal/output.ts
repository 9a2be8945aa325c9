/** A stream that a command writes to. It is a terminal if `isTTY` is true. */
export type Output = NodeJS.WritableStream & {
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
}

/** Destination of log lines. It takes whole lines, each ended by a line feed. */
export interface LogDestination {
  /** Takes one or more lines. Never waits and never throws. */
  readonly write: (lines: string) => void
  /** Resolves after every line so far has left the process. Rejects if they could not be written. */
  readonly flushed: () => Promise<void>
}

/** A log destination that buffers lines for a moment, so its owner has to close it. */
export interface LogOutput extends LogDestination {
  /** Resolves after every line has left the process or could not be written. Later lines are dropped. */
  readonly close: () => Promise<void>
  /** Drops buffered lines, so that nothing waits for a reader that hangs. */
  readonly abandon: () => void
}

/** Environment that says what a terminal can do. */
export interface Terminal {
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** Whether the output is a terminal that can overwrite a line. */
export function isSteerable (output: Output, { environment }: Terminal): boolean {
  return output.isTTY === true && environment['TERM'] !== 'dumb'
}

/** Whether the output is a terminal that shows colours. Any non-empty NO_COLOR turns them off (no-color.org), and so does a dumb terminal. */
export function isColourful (output: Output, terminal: Terminal): boolean {
  return isSteerable(output, terminal) && (terminal.environment['NO_COLOR'] ?? '') === ''
}

const codes = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39], cyan: [36, 39] } as const

export type Colour = keyof typeof codes

/** Colours a text, or returns it unchanged. */
export type Paint = (colour: Colour, text: string) => string

/** Creates a painter. Without `colourful` it changes nothing. */
export function createPaint (colourful: boolean): Paint {
  return (colour, text) => {
    const [begin, end] = codes[colour]
    return colourful && text !== '' ? `\u001B[${begin}m${text}\u001B[${end}m` : text
  }
}
