import { pino } from 'pino'
import type { Logger } from 'pino'
import type { Settings } from '../config/settings.js'
import type { LogDestination } from './context.js'

/** A destination that makes lines readable for a person at a terminal before it hands them on. */
export async function prettyDestination (destination: LogDestination): Promise<LogDestination> {
  const { prettyFactory } = await import('pino-pretty')
  const format = prettyFactory({ colorize: true, translateTime: 'SYS:HH:MM:ss.l' })
  return { write: line => { destination.write(format(line)) }, flushed: destination.flushed }
}

/** The service's own logger: one JSON object a line, times in ISO 8601. What is at the paths of `redact` is hidden. */
export function createLogger (level: Settings['LOG_LEVEL'], destination: LogDestination, redact: readonly string[] = []): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, ...redact.length === 0 ? {} : { redact: [...redact] } }, destination)
}
