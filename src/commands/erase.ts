import { setTimeout as sleep } from 'node:timers/promises'
import type { Erased, Person } from '../delivery/operator-requests.js'
import type { Operator } from '../delivery/operator.js'
import type { OperatorAction } from '../composition/open-store.js'
import type { CommandContext } from './context.js'
import { exitCodes, UsageError } from './command-line.js'
import { maxIds, noteAction } from './note-action.js'
import { countDeliveries, jsonLine, plural } from '../terminal/printable.js'
import { startProgressBar } from '../terminal/progress-bar.js'
import { untilStopped, type Stop } from './stop.js'
import { withStore, type StoreOptions } from './store.js'

export interface EraseOptions extends StoreOptions {
  readonly customer?: string | undefined
  readonly sourceId?: string | undefined
  readonly email?: string | undefined
  readonly force?: boolean | undefined
  readonly dryRun?: boolean | undefined
  readonly json?: boolean | undefined
}

/** Deliveries per transaction. */
const stepSize = 100
/** Pause between two steps, so that a running service can write too, in milliseconds. */
const pauseMs = 10
/** How often to try to empty the write-ahead log while other programs read the database, and the pause between tries. */
const scrubTries = 100
const scrubPauseMs = 200

interface Tally {
  erased: Erased['erased'][number][]
  unfinished: Erased['unfinished'][number][]
  mentions: number
  complete: boolean
}

/**
 * Erases every trace of a person in the store. Resolves with the exit code.
 * @throws ConfigurationError, UsageError
 */
export async function erase (context: CommandContext, options: EraseOptions): Promise<number> {
  const given = ([['customer', options.customer], ['source_id', options.sourceId], ['email', options.email]] as const)
    .flatMap(([by, value]) => value === undefined ? [] : [{ by, value: value.trim() }])
  if (given.length === 0 || given.some(({ value }) => value === '')) throw new UsageError('Say whose traces to erase: --customer, --source-id or --email, or several of them for the same person')
  const people = given.map(({ by, value }) => context.storeErasures.personOf(by, value))
  const values = given.filter(({ by }) => by !== 'source_id').map(({ value }) => value)
  let tally: Tally | undefined
  let served = false
  let place = ''

  const code = await withStore(context, options, async ({ operator, dataDir }) => await untilStopped(context, async stop => {
    place = dataDir
    served = await operator.isServed()
    const request = { people, force: options.force === true }
    const found = await run(context, operator, stop, { ...request, dryRun: true })
    const refused = found.unfinished.length > 0
    if (options.dryRun === true || refused || stop.signal.aborted) {
      report(context, found, options, dataDir)
      return stop.signal.aborted ? stop.exitCode() : refused ? exitCodes.failure : exitCodes.ok
    }
    // Add the people to the list before erasing, so that it also covers an erasure that is stopped half-way.
    context.storeErasures.remember({ dataDir, people })
    const erasing = emptyTally()
    const action = (): OperatorAction => ({
      action: 'erase', by: people.map(({ by }) => by), deliveryIds: erasing.erased.slice(0, maxIds).map(({ id }) => id), force: request.force, count: erasing.erased.length
    })
    tally = await noteAction(context, { dataDir, stop, action }, async () => await run(context, operator, stop, { ...request, dryRun: false }, erasing))
    const scrubbed = await scrub(operator, stop)
    if (stop.signal.aborted) {
      context.stderr.write('Stopped half-way: run this command again to erase the rest\n')
      return stop.exitCode()
    }
    report(context, tally, options, dataDir)
    if (!scrubbed) context.stderr.write('The write-ahead log still contains erased data, because another program reads the database. End that program, and run this command again\n')
    return tally.unfinished.length > 0 || !scrubbed ? exitCodes.failure : exitCodes.ok
  }))
  if (tally === undefined || !tally.complete || values.length === 0 || !context.storeErasures.hasLeftOvers({ dataDir: place, values })) return code
  if (!served) {
    // No service waits for a rewrite, and it leaves no free space with old bytes.
    return await withStore(context, options, async ({ operator }) => {
      await operator.scrub({ whole: true })
      return code
    })
  }
  context.stderr.write('The database\'s files still contain one of these values: in unused space, in an event that came since, or as a part of ' +
    'another person\'s longer value. Stop the service and run this command again: it then rewrites the whole file\n')
  return exitCodes.failure
}

function emptyTally (): Tally {
  return { erased: [], unfinished: [], mentions: 0, complete: false }
}

async function run (context: CommandContext, operator: Operator, stop: Stop, request: { people: readonly Person[], force: boolean, dryRun: boolean }, tally = emptyTally()): Promise<Tally> {
  const bar = startProgressBar(context, await operator.lastSequence(), request.dryRun ? 'checked' : 'checked or erased')
  try {
    for (let after = 0; !tally.complete && !stop.signal.aborted;) {
      const step = await operator.erase({ ...request, after, limit: stepSize })
      tally.erased.push(...step.erased)
      tally.unfinished.push(...step.unfinished)
      tally.mentions += step.mentions
      tally.complete = step.done
      after = step.upTo
      bar.update(after)
      await sleep(pauseMs)
    }
  } finally {
    bar.stop()
  }
  return tally
}

/** Resolves with whether the database's files are free of deleted data. */
async function scrub (operator: Operator, stop: Stop): Promise<boolean> {
  for (let tries = 0; tries < scrubTries && !stop.signal.aborted;) {
    if ((await operator.scrub({ whole: false })).done) return true
    tries++
    await sleep(tries < 5 ? pauseMs : scrubPauseMs)
  }
  return false
}

function report (context: CommandContext, tally: Tally, options: EraseOptions, dataDir: string): void {
  const { erased, unfinished, mentions } = tally
  const changed = options.dryRun !== true && (unfinished.length === 0 || options.force === true)
  if (options.json === true) {
    context.stdout.write(jsonLine({ erased: changed ? erased : [], found: erased, unfinished, mentions, dryRun: options.dryRun === true }))
  } else {
    context.stdout.write(`${countDeliveries(erased.length)} ${changed ? 'erased' : 'would be erased'}, and ${plural(mentions, 'note')} elsewhere\n`)
    for (const { id, forwardedTo } of erased) context.stdout.write(`${id}${forwardedTo.length === 0 ? '' : ` forwarded to ${forwardedTo.join(', ')}`}\n`)
  }
  if (unfinished.length > 0) {
    context.stderr.write(`${changed ? '' : 'Nothing was erased: '}${countDeliveries(unfinished.length)} of this person not finished. An erased event can never be forwarded.\n`)
    for (const { id, why } of unfinished.slice(0, 20)) context.stderr.write(`${id} ${advice[why]}\n`)
    context.stderr.write('Do that and run this command again, or give --force to erase them too. They are then not forwarded, except by an attempt that is under way or begins within a second\n')
  }
  if (!changed || options.json === true) return
  context.stdout.write([
    'tierhook cannot erase these. Search them for the ids above and for the values that you gave:',
    `- event files of the file forwarder, also rotated ones and those set aside: grep -lF '<value>' ${dataDir}/events.ndjson*`,
    '- copies of the service\'s log: its lines have the delivery ids, and more with LOG_FORWARDER_DATA',
    '- the destinations and custom forwarders, each under the delivery ids that it was sent',
    `- backups: "tierhook restore" erases again by the list ${dataDir}/erasures.ndjson, so keep a copy of that list; damaged databases that were set aside (${dataDir}/tierhook.db.damaged-*): delete them`,
    ''
  ].join('\n'))
}

const advice = {
  waiting: 'waits for a forwarder: wait until it is forwarded, or end a forwarder that is not configured any more with "tierhook forwarders forget"',
  dead: 'is a dead letter: "tierhook replay --dead", or "tierhook dead-letters discard"',
  quarantined: 'is in quarantine: "tierhook quarantine release", or "tierhook quarantine discard"'
} as const
