import { type Logger, pino } from 'pino'
import type { Settings } from '../config/settings.js'
import { wellFormedJson } from '../voucherify/readable-json.js'
import { createPaint, type LogDestination } from '../terminal/output.js'
import { formatLogLine } from '../terminal/log-line.js'
import { printable } from '../terminal/printable.js'

/** What a line may have that some reader refuses, or that steers a terminal: anything but ASCII, and escapes of surrogates. */
const suspect = /[^\n\x20-\x7E]|\\u[dD]/

/**
 * A destination whose lines any reader of JSON takes, and that do no harm on a terminal, whatever came in with an event: halves of
 * surrogate pairs become U+FFFD, and what is not to be seen stands as an escape, which means the same.
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
  /** Whether each event that comes in is told, so that other lines need not. */
  readonly eventsTold: boolean
}

/** A destination that makes each line one for a person at a terminal before it hands it on. */
export function lineDestination (destination: LogDestination, { colour, eventsTold }: LineDestinationOptions): LogDestination {
  const paint = createPaint(colour)
  return {
    write: lines => {
      // Those who forward send their lines together.
      for (const line of lines.trimEnd().split('\n')) {
        const text = formatLogLine(line, { paint, eventsTold })
        if (text !== undefined) destination.write(`${text}\n`)
      }
    },
    flushed: destination.flushed
  }
}

/** The service's own logger: one JSON object a line, times in ISO 8601. What is at the paths of `redact` is hidden. */
export function createLogger (level: Settings['LOG_LEVEL'], destination: LogDestination, redact: readonly string[] = []): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, ...redact.length === 0 ? {} : { redact: [...redact] } }, destination)
}
