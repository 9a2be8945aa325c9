/** A stream that a command writes to; a terminal if it says so. */
export type Output = NodeJS.WritableStream & {
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
}

/** Where log lines go: whole lines, each ended by a new line. */
export interface LogDestination {
  /** Takes one line or more. Never waits and never throws. */
  readonly write: (lines: string) => void
  /** Resolves once every line so far has left the process; rejects if they could not be written. */
  readonly flushed: () => Promise<void>
}

/** A log destination that its owner has to close, because it holds lines back for a moment. */
export interface LogOutput extends LogDestination {
  /** Resolves when every line has left the process or could not be written; lines that come later are dropped. */
  readonly close: () => Promise<void>
  /** Drops what is still to be written, so that nothing waits for a reader that hangs. */
  readonly abandon: () => void
}

/** Whom an output may ask what it can do. */
export interface Terminal {
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** Whether an output is a terminal on which a line can be written over. */
export function isSteerable (output: Output, { environment }: Terminal): boolean {
  return output.isTTY === true && environment['TERM'] !== 'dumb'
}

/** Whether an output is a terminal whose user wants colours: not with NO_COLOR, whatever it is set to (no-color.org), nor on a dumb one. */
export function isColourful (output: Output, terminal: Terminal): boolean {
  return isSteerable(output, terminal) && (terminal.environment['NO_COLOR'] ?? '') === ''
}

const codes = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39], cyan: [36, 39] } as const

export type Colour = keyof typeof codes

/** Colours a text, or leaves it as it is. */
export type Paint = (colour: Colour, text: string) => string

/** Makes a painter for an output that shows colours, or for one that does not. */
export function createPaint (colourful: boolean): Paint {
  return (colour, text) => {
    const [begin, end] = codes[colour]
    return colourful && text !== '' ? `\u001B[${begin}m${text}\u001B[${end}m` : text
  }
}
