import { type Logger, pino } from 'pino'
import type { Settings } from '../config/settings.js'
import { wellFormedJson } from '../voucherify/readable-json.js'
import { createPaint, type LogDestination } from '../terminal/output.js'
import { formatLogLine } from '../terminal/log-line.js'
import { printable } from '../terminal/printable.js'

/** Matches characters that some readers refuse or that control a terminal: everything but ASCII, and escapes of surrogates. */
const suspect = /[^\n\x20-\x7E]|\\u[dD]/

/**
 * Makes a destination whose lines every JSON reader accepts and that cannot control a terminal, whatever an event contains. Unpaired surrogates
 * become U+FFFD, and invisible characters become JSON escapes with the same meaning.
 */
export function readableDestination (destination: LogDestination): LogDestination {
  return {
    write: line => { destination.write(suspect.test(line) ? readable(line) : line) },
    flushed: destination.flushed
  }
}

function readable (lines: string): string {
  return lines.split('\n').map(line => printable(wellFormedJson(line))).join('\n')
}

export interface LineDestinationOptions {
  readonly colour: boolean
  /** Whether each accepted event has its own line, so that other lines about it are not needed. */
  readonly eventsTold: boolean
}

/** Makes a destination that formats each line for a person at a terminal. */
export function lineDestination (destination: LogDestination, { colour, eventsTold }: LineDestinationOptions): LogDestination {
  const paint = createPaint(colour)
  return {
    write: lines => {
      // The deliver thread sends several lines at once.
      for (const line of lines.trimEnd().split('\n')) {
        const text = formatLogLine(line, { paint, eventsTold })
        if (text !== undefined) destination.write(`${text}\n`)
      }
    },
    flushed: destination.flushed
  }
}

/** Makes the service's own logger: one JSON object per line, times in ISO 8601. Values at the paths in `redact` are hidden. */
export function createLogger (level: Settings['LOG_LEVEL'], destination: LogDestination, redact: readonly string[] = []): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, ...redact.length === 0 ? {} : { redact: [...redact] } }, destination)
}
