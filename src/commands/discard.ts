import { setImmediate as turn } from 'node:timers/promises'
import type { DiscardRequest } from '../delivery/operator-requests.js'
import type { Operator } from '../delivery/operator.js'
import type { OperatorAction } from '../composition/open-store.js'
import type { CommandContext } from './context.js'
import { isFiltered, pagesOf, toFilter, type FilterOptions } from './delivery-filter.js'
import { exitCodes, UsageError } from './command-line.js'
import { findDeliveries } from './find-delivery.js'
import { knownForwarder } from './known-forwarder.js'
import { chosen, noteAction } from './note-action.js'
import { countDeliveries, plural } from '../terminal/printable.js'
import { startProgressBar } from '../terminal/progress-bar.js'
import { untilStopped } from './stop.js'
import { withStore, type StoreOptions } from './store.js'

export interface DiscardOptions extends StoreOptions, FilterOptions {
  readonly all?: boolean | undefined
  /** Only deliveries received before this time, in milliseconds since the epoch. */
  readonly olderThan?: number | undefined
  readonly yes?: boolean | undefined
}

/** Deliveries per transaction. */
const stepSize = 200

/** One transaction of a discard. */
interface Step {
  readonly request: DiscardRequest
  readonly sequences: readonly number[]
}

/** Creates the command that removes deliveries from quarantine, or dead letters, for good. */
export function discard (from: DiscardRequest['from']): (context: CommandContext, ids: readonly string[], options: DiscardOptions) => Promise<number> {
  return async (context, ids, options) => await discardFrom(context, from, ids, options)
}

/**
 * Counts the deliveries, asks the user, and discards them. Resolves with the exit code.
 * @throws ConfigurationError, UsageError
 */
async function discardFrom (context: CommandContext, from: DiscardRequest['from'], ids: readonly string[], options: DiscardOptions): Promise<number> {
  const isChosen = options.all === true || options.olderThan !== undefined || isFiltered(options)
  if (ids.length > 0 && isChosen) throw new UsageError('Name deliveries, or choose them with --all, --older-than and filters, but not both')
  if (ids.length === 0 && !isChosen) throw new UsageError('Name the deliveries to discard, or give --all, --older-than or a filter such as --type')

  return await withStore(context, options, async ({ operator, dataDir }) => await untilStopped(context, async stop => {
    if (options.forwarder !== undefined) await knownForwarder(operator, options.forwarder)
    const found = await findDeliveries(operator, ids)
    const named = found.map(({ sequence }) => sequence)
    // Only deliveries stored so far. Deliveries that arrive during the question were not counted.
    const before = await operator.lastSequence() + 1
    let count = 0
    for await (const { sequences } of steps(operator, { from, named, before, options })) count += sequences.length
    const what = from === 'quarantine' ? countDeliveries(count) : plural(count, 'dead letter')
    if (count === 0) {
      context.stderr.write('There is nothing to discard.\n')
      return named.length > 0 ? exitCodes.failure : exitCodes.ok
    }
    if (options.yes !== true && !await agrees(context, `Discard ${what} for good? Nothing brings ${count === 1 ? 'it' : 'them'} back.`)) return stop.signal.aborted ? stop.exitCode() : exitCodes.failure
    const bar = startProgressBar(context, count)
    let discarded = 0
    const discarding = async (): Promise<void> => {
      for await (const { request } of steps(operator, { from, named, before, options })) {
        if (stop.signal.aborted) break
        discarded += (await operator.discard(request)).filter(({ status }) => status === 'discarded').length
        bar.update(discarded)
        await turn()
      }
    }
    const action = (): OperatorAction => ({
      action: 'discard', from, ...chosen(found.map(({ id }) => id), options), ...options.forwarder === undefined ? {} : { forwarders: [options.forwarder] }, count: discarded
    })
    await noteAction(context, { dataDir, stop, action }, discarding).finally(() => { bar.stop() })
    context.stdout.write(`${from === 'quarantine' ? countDeliveries(discarded) : plural(discarded, 'dead letter')} discarded\n`)
    if (stop.signal.aborted) return stop.exitCode()
    return named.length > 0 && discarded < count ? exitCodes.failure : exitCodes.ok
  }))
}

/** Asks the user for consent. Without a terminal, `--yes` is required. */
async function agrees (context: CommandContext, question: string): Promise<boolean> {
  const answer = await context.ask(`${question} [y/N] `)
  if (answer === undefined) throw new UsageError(`${question} Give --yes: there is no terminal to ask at`)
  if (/^y(?:es)?$/i.test(answer.trim())) return true
  context.stderr.write('Nothing was discarded.\n')
  return false
}

interface Choice {
  readonly from: DiscardRequest['from']
  readonly named: readonly number[]
  readonly before: number
  readonly options: DiscardOptions
}

async function * steps (operator: Operator, { from, named, before, options }: Choice): AsyncGenerator<Step> {
  const filter = { ...await toFilter(operator, { ...options, forwarder: undefined }), until: earliest(options.until, options.olderThan) }
  const forwarders = from === 'quarantine' ? [undefined] : options.forwarder === undefined ? (await operator.forwarders()).map(({ name }) => name) : [options.forwarder]
  for (const forwarder of forwarders) {
    const status = forwarder === undefined ? { status: 'quarantined' } as const : { status: 'dead', forwarder } as const
    const wanted = new Set(named)
    for await (const page of pagesOf(operator, { filter: { ...filter, ...status }, before, limit: stepSize })) {
      const sequences = page.sequences.filter((sequence) => named.length === 0 || wanted.has(sequence))
      if (sequences.length === 0) continue
      yield { sequences, request: forwarder === undefined ? { from: 'quarantine', sequences } : { from: 'dead letters', forwarder, sequences } }
    }
  }
}

function earliest (...times: ReadonlyArray<number | undefined>): number | undefined {
  const given = times.filter((time) => time !== undefined)
  return given.length === 0 ? undefined : Math.min(...given)
}
