import { pino } from 'pino'
import type { Forwarder } from '../delivery/forwarder.js'
import { describeDelivery } from './describe-delivery.js'

/** The output for whole log lines. */
export interface LineOutput {
  readonly write: (line: string) => unknown
  /** Resolves when every line written so far has left the process. */
  readonly flushed: () => Promise<void>
}

export interface LogForwarderOptions {
  readonly name: string
  readonly output: LineOutput
  /** Whether the lines contain the whole event, with the customer's name, e-mail and metadata. */
  readonly withData: boolean
  /** Paths of the values to hide in each line, in pino's notation. */
  readonly redact?: readonly string[] | undefined
}

const BATCH_SIZE = 256
const TIMEOUT_MS = 30_000

/** Makes a forwarder that writes one structured line per delivery. The line's message is the event type. */
export function createLogForwarder ({ name, output, withData, redact = [] }: LogForwarderOptions): Forwarder {
  const logger = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime, ...(redact.length === 0 ? {} : { redact: [...redact] }) }, { write: (line: string) => { output.write(line) } })
  return {
    name,
    order: 'arrival',
    concurrency: 1,
    batchSize: BATCH_SIZE,
    timeoutMs: TIMEOUT_MS,
    giveUpMs: Infinity,
    async forward (attempts) {
      for (const { delivery, replay } of attempts) {
        const fields = describeDelivery(delivery, { withData })
        if (replay) fields['replay'] = true
        logger.info(fields, delivery.eventType)
      }
      await output.flushed()
      return { outcomes: attempts.map(() => ({ status: 'forwarded' })) }
    }
  }
}
