import { setImmediate as turn } from 'node:timers/promises'
import type { DeliveryFilter } from '../delivery/listing.js'
import type { Operator } from '../delivery/operator.js'
import type { Replayed } from '../delivery/operator-requests.js'
import type { OperatorAction } from '../composition/open-store.js'
import type { CommandContext } from './context.js'
import { isFiltered, pagesOf, toFilter, type FilterOptions } from './delivery-filter.js'
import { exitCodes, UsageError } from './command-line.js'
import { findDeliveries, findDelivery } from './find-delivery.js'
import { chosen, noteAction } from './note-action.js'
import { countDeliveries, jsonLine, plural } from '../terminal/printable.js'
import { startProgressBar } from '../terminal/progress-bar.js'
import { untilStopped, type Stop } from './stop.js'
import { withStore, type StoreOptions } from './store.js'
import { pause } from '../delivery/within.js'

export interface ReplayOptions extends StoreOptions, FilterOptions {
  readonly all?: boolean | undefined
  readonly dead?: boolean | undefined
  readonly after?: string | undefined
  readonly rate?: number | undefined
  readonly force?: boolean | undefined
  readonly dryRun?: boolean | undefined
  readonly json?: boolean | undefined
}

/** Deliveries per transaction. */
const stepSize = 500
/** Steps per second if there is a rate. */
const stepsPerSecond = 4

/** One step: deliveries, their forwarders, and the progress after it. */
interface Step {
  readonly sequences: readonly number[]
  readonly forwarders: readonly string[]
  readonly progress: number
  readonly lastId: string
}

interface Tally {
  deliveries: number
  replays: number
  passedOver: number
  filtered: number
  refused: Array<Replayed['refused'][number] & { readonly id: string }>
  lastId: string
}

/**
 * Requests replays of deliveries; resolves with the exit code. Replays are requested step by step. Each step is on disk before the next begins,
 * and a signal stops between two steps.
 * @throws ConfigurationError, UsageError
 */
export async function replay (context: CommandContext, ids: readonly string[], options: ReplayOptions): Promise<number> {
  checkChoice(ids, options)
  return await withStore(context, options, async ({ operator, dataDir }) => await untilStopped(context, async stop => {
    const served = await operator.isServed()
    if (options.rate !== undefined && !served && options.dryRun !== true) {
      throw new UsageError(`--rate paces what a running service forwards, and none runs on ${dataDir}: start it first, or leave --rate out`)
    }
    const known = (await operator.forwarders()).map(({ name }) => name)
    const filter = await toFilter(operator, options)
    const forwarders = options.forwarder === undefined ? known : [options.forwarder]
    if (forwarders.length === 0) throw new UsageError(`No service has run on ${dataDir} yet, so there is no forwarder to replay to`)
    const named = (await findDeliveries(operator, ids)).toSorted((a, b) => a.sequence - b.sequence)
    const after = options.after === undefined ? 0 : (await findDelivery(operator, options.after)).sequence
    const last = await operator.lastSequence()
    const stepsOf = named.length > 0 ? namedSteps(named, forwarders) : chosenSteps(operator, { filter, forwarders, after, last, options })
    const bar = startProgressBar(context, named.length > 0 ? named.length : (last - after) * (options.dead === true ? forwarders.length : 1))
    const tally: Tally = { deliveries: 0, replays: 0, passedOver: 0, filtered: 0, refused: [], lastId: '' }
    const replaying = async (): Promise<void> => { await run(operator, stepsOf, tally, { options, byName: named.length > 0, stop, onProgress: bar.update }).finally(() => { bar.stop() }) }
    if (options.dryRun === true) await replaying()
    else {
      const action = (): OperatorAction => ({
        action: 'replay',
        ...options.dead === true ? { from: 'dead letters' } : {},
        ...chosen(named.map(({ id }) => id), options),
        forwarders: [...forwarders],
        force: options.force === true,
        count: tally.replays
      })
      await noteAction(context, { dataDir, stop, action }, replaying)
    }
    report(context, tally, { options, served, stopped: stop.signal.aborted })
    if (stop.signal.aborted) return stop.exitCode()
    return named.length > 0 && tally.refused.length > 0 ? exitCodes.failure : exitCodes.ok
  }))
}

function checkChoice (ids: readonly string[], options: ReplayOptions): void {
  const isChosen = isFiltered(options) || options.after !== undefined || options.all === true || options.dead === true
  if (ids.length > 0 && isChosen) throw new UsageError('Name deliveries, or choose them with filters, but not both')
  if (ids.length === 0 && !isChosen) throw new UsageError('Name the deliveries to replay, or choose them: --dead, a filter such as --since 2h, or --all')
}

async function * namedSteps (named: ReadonlyArray<{ readonly sequence: number, readonly id: string }>, forwarders: readonly string[]): AsyncGenerator<Step> {
  for (const [index, { sequence, id }] of named.entries()) yield { sequences: [sequence], forwarders, progress: index + 1, lastId: id }
}

interface Choice {
  readonly filter: DeliveryFilter
  readonly forwarders: readonly string[]
  readonly after: number
  readonly last: number
  readonly options: ReplayOptions
}

/** Oldest first, to keep each customer's order. Deliveries that arrive meanwhile are left out. */
async function * chosenSteps (operator: Operator, { filter, forwarders, after, last, options }: Choice): AsyncGenerator<Step> {
  const limit = options.rate === undefined ? stepSize : Math.max(1, Math.min(stepSize, Math.floor(options.rate / stepsPerSecond)))
  // A dead letter is replayed only to the forwarder that gave up on it.
  const rounds = options.dead === true
    ? forwarders.map(forwarder => ({ filter: { ...filter, status: 'dead', forwarder } as const, to: [forwarder] }))
    : [{ filter: { ...filter, forwarder: undefined }, to: forwarders }]
  for (const [round, { filter, to }] of rounds.entries()) {
    for await (const { sequences, last: end } of pagesOf(operator, { filter, after, before: last + 1, limit })) {
      yield { sequences, forwarders: to, progress: round * (last - after) + end.sequence - after, lastId: end.id }
    }
  }
}

interface Run {
  readonly options: ReplayOptions
  readonly byName: boolean
  readonly stop: Stop
  readonly onProgress: (done: number) => void
}

/** Adds each step to the tally after it is on disk. */
async function run (operator: Operator, steps: AsyncGenerator<Step>, tally: Tally, { options, byName, stop, onProgress }: Run): Promise<void> {
  const begun = performance.now()
  const description = describeChoice(options)
  for await (const { sequences, forwarders, progress, lastId } of steps) {
    if (stop.signal.aborted) break
    const { replays, passedOver, filtered, refused } = await operator.replay({
      sequences, forwarders, force: options.force === true, finishedOnly: !byName && options.dead !== true, description, dryRun: options.dryRun === true
    })
    // Report deliveries that cannot be replayed only if the user named them. A filter never chose them.
    if (byName) tally.refused.push(...refused.map((each) => ({ id: lastId, ...each })))
    tally.deliveries += sequences.length - refused.length
    tally.replays += replays
    tally.passedOver += passedOver
    tally.filtered += filtered
    tally.lastId = lastId
    onProgress(progress)
    await turn()
    if (options.rate === undefined || options.dryRun === true) continue
    const waitMs = begun + tally.deliveries / options.rate * 1000 - performance.now()
    if (waitMs > 0) await pause(waitMs, stop.signal)
  }
}

const refusals: Readonly<Record<Replayed['refused'][number]['why'], string>> = {
  quarantined: 'in quarantine: "tierhook quarantine release" lets it out',
  filtered: 'skipped by the filter of each forwarder: --force sends it anyway',
  damaged: 'damaged',
  erased: 'erased: nothing of its event is left',
  gone: 'gone'
}

function describeChoice (options: ReplayOptions): string {
  const { dataDir: _dataDir, envFile: _envFile, json: _json, dryRun: _dryRun, ...choice } = options
  return JSON.stringify(choice)
}

function report (context: CommandContext, tally: Tally, { options, served, stopped }: { options: ReplayOptions, served: boolean, stopped: boolean }): void {
  if (options.json === true) {
    context.stdout.write(jsonLine({ ...tally, dryRun: options.dryRun === true, stopped }))
    return
  }
  for (const { id, why } of tally.refused) {
    context.stderr.write(`Delivery ${id} is ${refusals[why]}\n`)
  }
  const verb = options.dryRun === true ? 'would be requested' : 'requested'
  context.stdout.write(`${plural(tally.replays, 'replay')} ${verb}, of ${countDeliveries(tally.deliveries)}\n`)
  if (tally.passedOver > 0) context.stderr.write(`${plural(tally.passedOver, 'more was', 'more were')} left out: the forwarder has yet to finish them, so they arrive anyway\n`)
  if (tally.filtered > 0) context.stderr.write(`${plural(tally.filtered, 'more was', 'more were')} not requested: the forwarder's filter skips them, and --force sends them anyway\n`)
  if (stopped && tally.lastId !== '') context.stderr.write(`Stopped. The replays requested so far go out; to continue, repeat the command with --after ${tally.lastId}\n`)
  if (tally.replays > 0 && !served && options.dryRun !== true) context.stderr.write('No service runs on this data folder now: they go out when it starts\n')
}
