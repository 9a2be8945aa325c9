import type { Logger } from 'pino'
import { createAttempts } from './attempt.js'
import { createCircuitBreaker, type BreakerState } from './circuit-breaker.js'
import type { Clock } from './clock.js'
import type { Delivery } from './delivery.js'
import type { Forwarder, ForwardResult, Outcome, StartContext } from './forwarder.js'
import type { AttemptRecord, Claim, Feed, FeedOptions, Journal, Settlement } from './journal.js'
import type { EndedAttempts, Observer } from './observation.js'
import { backoffMs, type RetryPolicy } from './retry-policy.js'
import { createSettle, type Settled } from './settlement.js'
import { createRunLoop } from './run-loop.js'
import { createInFlightCommits } from './in-flight-commits.js'
import { within } from './within.js'

export interface PumpOptions {
  readonly forwarder: Forwarder
  readonly journal: Pick<Journal, 'openFeed'>
  readonly start: 'now' | 'beginning'
  /** Whether the forwarder wants a delivery. */
  readonly accepts: (delivery: Delivery) => boolean
  /** The same as text, for an operator's replays; everything where absent. */
  readonly filter?: string | undefined
  readonly retry: RetryPolicy
  readonly breakerThreshold: number
  readonly clock: Clock
  readonly random: () => number
  readonly logger: Logger
  readonly onAttempts?: Observer['attemptsEnded']
  /** Called when `breakerState` or `isPaused` may have changed. */
  readonly onState?: () => void
  /** What the forwarder may ask when it starts. */
  readonly startContext?: StartContext
  /** Called once somebody else may lead the forwarder: then this is to be closed. */
  readonly onLost?: FeedOptions['onLost']
}

/** Drives one forwarder: takes what is due from its feed, attempts it, and settles what became of it. */
export interface Pump {
  readonly name: string
  readonly start: () => Promise<void>
  readonly breakerState: () => BreakerState
  /** Begins no attempts until it is resumed; what is under way goes on to its end. */
  readonly pause: () => void
  readonly resume: () => void
  readonly isPaused: () => boolean
  /** Resolves when nothing that is due is left, for now. */
  readonly idle: () => Promise<void>
  /** Begins nothing new, waits for what is under way until `signal` aborts, and closes the forwarder. Idempotent. */
  readonly close: (signal: AbortSignal) => Promise<void>
}

/** Calls of a forwarder whose settlements may wait to get to the disk before no more are begun: of batches, and of one delivery each. */
const MOST_BATCHES = 256
const MOST_DELIVERIES = 4096
/** The least time between two batches that are not full, in milliseconds: a sync for each delivery would hold up the next webhook's. */
const GATHER_MS = 25
/** How soon reading is tried again after it failed, in milliseconds. */
const READ_RETRY_MS = 1000

export function createPump (options: PumpOptions): Pump {
  const { forwarder, journal, retry, clock, random } = options
  const logger = options.logger.child({ forwarder: forwarder.name })
  const breaker = createCircuitBreaker({
    threshold: options.breakerThreshold, minMs: retry.minMs, maxMs: retry.maxMs, monotonic: clock.monotonic, random
  })
  const attempts = createAttempts(forwarder)
  const settlementOf = createSettle({ forwarder, retry, random, logger })
  const mostInFlight = forwarder.batchSize === 1 ? MOST_DELIVERIES : MOST_BATCHES
  const runLoop = createRunLoop({
    take: claimDue,
    // What comes alone goes at once; what follows it closely goes together, where the forwarder takes batches.
    gatherMs: () => forwarder.batchSize === 1 ? 0 : lastBegunAt + GATHER_MS - clock.monotonic(),
    onRest () { if (inFlight === 0 && inFlightCommits.count() === 0) tellIdle() },
    onDefect: failed
  })
  // What could not be kept in order would be lost at a restart, so no more is begun while too much of it waits.
  const inFlightCommits = createInFlightCommits({
    onKept: runLoop.soon,
    onError (error) { logger.error({ err: error }, 'forwarder progress not stored') }
  })
  let opened: Feed | undefined
  /** Only once the forwarder has started. */
  let feed: Feed | undefined
  let inFlight = 0
  let ended: EndedCall[] = []
  let aborted = false
  let stopping = false
  let paused = false
  let startTimer: NodeJS.Timeout | undefined
  let lastBegunAt = -Infinity
  let onIdle: Array<() => void> = []
  let closing: Promise<void> | undefined

  /** A forwarder that can't start is down like one that can't forward: it is tried again, and costs nobody else anything. */
  async function beginWith (opened: Feed, attempt: number): Promise<void> {
    try {
      await forwarder.start?.(opened.position, options.startContext)
    } catch (error) {
      const retryInMs = backoffMs(attempt, retry, random())
      logger.error({ err: error, attempt, retryInMs: Math.round(retryInMs) }, 'forwarder cannot start')
      if (!stopping) startTimer = setTimeout(() => { beginInTime(opened, attempt + 1).catch(failed) }, retryInMs)
      return
    }
    feed = opened
    runLoop.begin()
  }

  /** A forwarder that hangs in its start must not hold up the service's. It can't be started a second time, so that a person has to know. */
  async function beginInTime (opened: Feed, attempt: number): Promise<void> {
    const ended = await within(forwarder.timeoutMs, beginWith(opened, attempt).then(() => true))
    if (ended !== true && !stopping) logger.error({ err: new Error(`It has not started within ${forwarder.timeoutMs} ms, and is waited for`), attempt }, 'forwarder cannot start')
  }

  /** What comes here is a defect of ours. */
  function failed (error: unknown): void {
    logger.fatal({ err: error }, 'forwarder stopped')
  }

  function tellIdle (): void {
    const listeners = onIdle
    onIdle = []
    for (const listener of listeners) listener()
  }

  async function claimDue (): Promise<number | undefined> {
    try {
      return await beginDue()
    } catch (error) {
      logger.error({ err: error }, 'forwarder cannot read the journal')
      return READ_RETRY_MS
    }
  }

  /** Begins all attempts that may begin now. Returns how long there is nothing to do for, where that is known. */
  async function beginDue (): Promise<number | undefined> {
    while (feed !== undefined && !stopping && !paused) {
      const calls = Math.min(forwarder.concurrency - inFlight, breaker.allowance())
      if (calls <= 0) return breaker.state() === 'open' ? Math.ceil(breaker.reopensInMs()) : undefined
      if (inFlightCommits.count() >= mostInFlight) return undefined
      // A probe is one delivery, whatever the size of a batch.
      const probe = breaker.state() !== 'closed'
      const found = feed.claim(probe ? 1 : calls * forwarder.batchSize)
      // Not to wait for what is at hand lets the next attempt begin before the last one is logged.
      const { claims, dueInMs } = found instanceof Promise ? await found : found
      if (claims.length === 0) return dueInMs === undefined ? undefined : Math.ceil(dueInMs)
      begin(feed, claims)
    }
    return undefined
  }

  function begin (feed: Feed, claims: readonly Claim[]): void {
    if (stopping || paused) return settle(feed, claims.map(returned))
    const wanted: Claim[] = []
    const skipped: Settlement[] = []
    for (const claim of claims) {
      if (claim.forced === true || options.accepts(claim.delivery)) wanted.push(claim)
      else skipped.push({ claim, result: { status: 'skipped' }, record: { startedAt: clock.now(), durationMs: 0 } })
    }
    for (const { claim: { delivery, replay } } of skipped) {
      // A person asked for it, and is to know why nothing comes of it.
      if (replay) logger.warn({ deliveryId: delivery.id, eventType: delivery.eventType }, 'replay skipped by the filter')
    }
    if (skipped.length > 0) settle(feed, skipped)
    for (let at = 0; at < wanted.length; at += forwarder.batchSize) call(feed, wanted.slice(at, at + forwarder.batchSize))
  }

  function call (feed: Feed, claims: readonly Claim[]): void {
    inFlight++
    breaker.started()
    const startedAt = clock.now()
    const before = clock.monotonic()
    lastBegunAt = before
    attempts.run(claims.map(({ delivery, attempt, replay }) => ({ delivery, number: attempt, replay }))).then((result) => {
      // What ends in the same turn of the event loop is settled together, and what comes after it is begun together.
      if (ended.length === 0) setImmediate(settleEnded, feed)
      ended.push({ claims, result: aborted ? undefined : result, startedAt, durationMs: clock.monotonic() - before })
    }).catch(failed)
  }

  function settleEnded (feed: Feed): void {
    const calls = ended
    ended = []
    inFlight -= calls.length
    const settlements: Settlement[] = []
    const settled: Settled[] = []
    let position: string | undefined
    for (const call of calls) {
      if (call.result === undefined) {
        settlements.push(...call.claims.map(returned))
        continue
      }
      const { outcomes } = call.result
      note(feed, outcomes)
      for (const [index, claim] of call.claims.entries()) {
        const each = settlementOf(claim, outcomes[index] ?? nothing, call)
        settled.push(each)
        settlements.push(each.settlement)
      }
      position = call.result.position ?? position
    }
    settle(feed, settlements, position, calls.length)
    if (aborted && inFlight === 0) tellIdle()
    // What is told of these attempts takes its time while the destination has the next ones.
    if (calls.some(({ claims }) => claims.length === forwarder.batchSize)) runLoop.now()
    else runLoop.soon()
    tell(calls, settled)
  }

  function tell (calls: readonly EndedCall[], settled: readonly Settled[]): void {
    for (const { result, durationMs } of calls) {
      if (result !== undefined) options.onAttempts?.({ forwarder: forwarder.name, durationMs, ...summarize(result.outcomes) })
    }
    for (const { log } of settled) log()
  }

  /** One batch is one sign of life, or of its absence. */
  function note (feed: Feed, outcomes: readonly Outcome[]): void {
    const before = breaker.state()
    // A destination that says "never" to one delivery is there and answers.
    if (outcomes.some(({ status }) => status !== 'retry')) breaker.succeeded()
    else breaker.failed()
    const after = breaker.state()
    if ((before === 'closed') !== (after === 'closed')) inFlightCommits.add(feed.noteBreaker(after), 1)
    if (before !== after) options.onState?.()
    if (before === 'closed' && after === 'open') logger.warn({ probeInMs: Math.ceil(breaker.reopensInMs()) }, 'forwarder paused')
    if (before !== 'closed' && after === 'closed') logger.info('forwarder goes on')
  }

  function settle (feed: Feed, settlements: readonly Settlement[], position?: string, calls = 1): void {
    inFlightCommits.add(feed.settle(settlements, position), calls)
  }

  function pause (): void {
    if (paused) return
    paused = true
    logger.warn('forwarder paused by an operator')
  }

  function resume (): void {
    if (!paused) return
    paused = false
    logger.info('forwarder resumed by an operator')
    runLoop.now()
  }

  /** It was asked for in another process. */
  function steered (pausing: boolean): void {
    if (pausing) pause()
    else resume()
    options.onState?.()
  }

  return {
    name: forwarder.name,
    breakerState: breaker.state,
    isPaused: () => paused,
    pause,
    resume,

    async start () {
      const { name, order } = forwarder
      opened = await journal.openFeed({ forwarder: name, order, start: options.start, filter: options.filter, onWork: runLoop.soon, onLost: options.onLost, onPaused: steered })
      paused = opened.paused
      options.onState?.()
      if (paused) logger.warn('forwarder paused by an operator')
      inFlightCommits.add(opened.noteBreaker('closed'), 1)
      await beginInTime(opened, 1)
    },

    async idle () {
      await new Promise<void>((resolve) => {
        onIdle.push(resolve)
        runLoop.now()
      })
    },

    async close (signal) {
      closing ??= (async () => {
        stopping = true
        clearTimeout(startTimer)
        runLoop.end()
        const abort = (): void => {
          aborted = true
          attempts.abort(new Error('The service is stopping'))
          // A disk that takes no progress, or that is being read and does not answer, is waited for no longer than attempts are.
          if (inFlight === 0) tellIdle()
        }
        if (feed !== undefined) {
          await new Promise<void>((resolve) => {
            onIdle.push(resolve)
            runLoop.now()
            signal.addEventListener('abort', abort)
            if (signal.aborted) abort()
          })
        }
        await opened?.close()
        signal.removeEventListener('abort', abort)
        await forwarder.close?.({ settled: inFlightCommits.allKept() })
      })()
      await closing
    }
  }
}

interface EndedCall extends AttemptRecord {
  readonly claims: readonly Claim[]
  /** `undefined`: it was ended by the stop, and counts for nothing. */
  readonly result: ForwardResult | undefined
}

function summarize (outcomes: readonly Outcome[]): Pick<EndedAttempts, 'counts' | 'last'> {
  const counts = { forwarded: 0, retry: 0, dead: 0 }
  for (const { status } of outcomes) counts[status]++
  const last = outcomes.at(-1) ?? nothing
  return { counts, last: 'reason' in last ? { status: last.status, reason: last.reason } : { status: last.status } }
}

function returned (claim: Claim): Settlement {
  return { claim, result: { status: 'returned' } }
}

const nothing: Outcome = { status: 'retry', reason: 'The forwarder returned nothing' }
