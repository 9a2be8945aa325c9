import { pino, type Logger } from 'pino'

export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string }

export interface CapturedLog {
  readonly logger: Logger
  readonly lines: readonly LogLine[]
  /** Returns the lines with this message. */
  readonly find: (message: string) => readonly LogLine[]
  /** Calls the listener for each line with this message, from now on. */
  readonly on: (message: string, listener: () => void) => void
}

/** Makes a logger that keeps its lines. */
export function captureLog (): CapturedLog {
  const lines: LogLine[] = []
  const listeners: Array<{ message: string, listener: () => void }> = []
  const logger = pino({ level: 'trace', base: null }, {
    write (text: string) {
      const line: LogLine = JSON.parse(text)
      lines.push(line)
      for (const { message, listener } of listeners) if (message === line.msg) listener()
    }
  })
  return {
    logger,
    lines,
    find: (message) => lines.filter(({ msg }) => msg === message),
    on: (message, listener) => { listeners.push({ message, listener }) }
  }
}
