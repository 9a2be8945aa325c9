import type { CommandContext } from './context.js'
import { exitCodes } from './command-line.js'
import { listForm, MIN_TYPE_WIDTH } from './describe-listed.js'
import { findDelivery } from './find-delivery.js'
import { knownForwarder } from './known-forwarder.js'
import { jsonLine } from '../terminal/printable.js'
import { withStore, type StoreOptions } from './store.js'
import { writeColumns } from '../terminal/columns.js'

export interface DeadLettersOptions extends StoreOptions {
  readonly forwarder?: string | undefined
  readonly type?: string | undefined
  readonly limit: number
  readonly before?: string | undefined
  readonly json?: boolean | undefined
}

/**
 * Lists dead letters, newest delivery first. Resolves with the exit code.
 * @throws ConfigurationError, UsageError
 */
export async function deadLetters (context: CommandContext, options: DeadLettersOptions): Promise<number> {
  return await withStore(context, options, async ({ operator }) => {
    if (options.forwarder !== undefined) await knownForwarder(operator, options.forwarder)
    const before = options.before === undefined ? undefined : (await findDelivery(operator, options.before)).sequence
    const letters = await operator.deadLetters({ forwarder: options.forwarder, eventType: options.type, before, limit: options.limit })
    if (options.json === true) {
      for (const { receivedAt, diedAt, ...rest } of letters) {
        context.stdout.write(jsonLine({ ...rest, receivedAt: new Date(receivedAt).toISOString(), diedAt: new Date(diedAt).toISOString() }))
      }
      return exitCodes.ok
    }
    const last = letters.at(-1)
    if (last === undefined) {
      context.stderr.write('There are no dead letters.\n')
      return exitCodes.ok
    }
    const form = listForm(context, letters.map(({ id }) => id))
    writeColumns(context.stdout, context, [
      { title: 'ID' }, { title: 'DIED', dropped: 2 }, { title: 'FORWARDER', least: 9 }, { title: 'ATTEMPTS', dropped: 4 }, { title: 'TYPE', dropped: 1, least: MIN_TYPE_WIDTH, keepsEnd: true },
      { title: 'CUSTOMER', dropped: 3 }, { title: 'REASON', least: 20 }
    ], letters.map((letter) => [
      form.id(letter.id), form.time(letter.diedAt), letter.forwarder, String(letter.attempts), letter.eventType, form.customer(letter.customerId),
      `${letter.replaying ? '(being replayed) ' : ''}${letter.reason}`
    ]))
    if (letters.length >= options.limit) context.stderr.write(`For the next ${options.limit}, add --before ${last.id}\n`)
    return exitCodes.ok
  })
}
