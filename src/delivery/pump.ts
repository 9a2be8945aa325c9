import type { Logger } from 'pino'
import { createCalls, type EndedCall } from './calls.js'
import { createCircuitBreaker, type BreakerState } from './circuit-breaker.js'
import type { Clock } from './clock.js'
import type { Delivery } from './delivery.js'
import type { Forwarder, StartContext } from './forwarder.js'
import type { Claim, Feed, FeedOptions, Journal, Settlement } from './journal.js'
import type { Observer } from './observation.js'
import type { RetryPolicy } from './retry-policy.js'
import { createSettleCalls, returned } from './settle-calls.js'
import { createRunLoop } from './run-loop.js'
import { createInFlightCommits } from './in-flight-commits.js'
import { createForwarderStart } from './start-forwarder.js'

export interface PumpOptions {
  readonly forwarder: Forwarder
  readonly journal: Pick<Journal, 'openFeed'>
  readonly start: 'now' | 'beginning'
  /** Whether the forwarder's filter lets a delivery through. */
  readonly accepts: (delivery: Delivery) => boolean
  /** The filter as text, for an operator's replays. If absent, the forwarder wants everything. */
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
  /** Called when another replica may lead the forwarder. The caller must then close this pump. */
  readonly onLost?: FeedOptions['onLost']
}

/** Runs one forwarder: claims deliveries that are due from the feed, attempts them, and settles their outcomes. */
export interface Pump {
  readonly name: string
  readonly start: () => Promise<void>
  /** Whether the forwarder has started. Until then nothing is forwarded, and starting is tried again. */
  readonly hasStarted: () => boolean
  readonly breakerState: () => BreakerState
  /** Begins no more attempts until the pump is resumed. Attempts under way are finished. */
  readonly pause: () => void
  readonly resume: () => void
  readonly isPaused: () => boolean
  /** Resolves when nothing is left that is due now. */
  readonly idle: () => Promise<void>
  /** Begins nothing new, waits for the attempts under way until `signal` aborts, and closes the forwarder. Idempotent. */
  readonly close: (signal: AbortSignal) => Promise<void>
}

/** The most calls whose settlements may wait for the disk before no more calls begin: calls with batches, and calls with one delivery each. */
const MAX_BATCHES = 256
const MAX_DELIVERIES = 4096
/** The least time between two batches that are not full, in milliseconds. A sync for each delivery would delay the commit of the next webhook. */
const GATHER_MS = 25
/** How long to wait after reading the journal failed, in milliseconds. */
const READ_RETRY_MS = 1000

export function createPump (options: PumpOptions): Pump {
  const { forwarder, journal, retry, clock, random } = options
  const logger = options.logger.child({ forwarder: forwarder.name })
  const breaker = createCircuitBreaker({
    threshold: options.breakerThreshold, minMs: retry.minMs, maxMs: retry.maxMs, monotonic: clock.monotonic, random
  })
  const calls = createCalls({ forwarder, clock, onEnded: callsEnded, onDefect: failed })
  const maxInFlight = forwarder.batchSize === 1 ? MAX_DELIVERIES : MAX_BATCHES
  const runLoop = createRunLoop({
    take: claimDue,
    // A delivery that comes alone is sent at once. Deliveries that follow it closely go together, if the forwarder takes batches.
    gatherMs: () => forwarder.batchSize === 1 ? 0 : calls.lastBegunAt() + GATHER_MS - clock.monotonic(),
    onRest () { if (calls.inFlight() === 0 && inFlightCommits.count() === 0) notifyIdle() },
    onDefect: failed
  })
  // Outcomes that are not on disk would be lost at a restart, so no more calls begin while too many of them wait.
  const inFlightCommits = createInFlightCommits({
    onKept: runLoop.soon,
    onError (error) { logger.error({ err: error }, 'forwarder progress not stored') }
  })
  const settleCalls = createSettleCalls({ forwarder, breaker, retry, random, logger, onAttempts: options.onAttempts, onState: options.onState, onCommit: inFlightCommits.add })
  const forwarderStart = createForwarderStart({
    forwarder,
    context: options.startContext,
    retry,
    random,
    logger,
    onStarted () {
      feed = opened
      runLoop.begin()
    },
    onDefect: failed
  })
  let opened: Feed | undefined
  /** Set when the forwarder has started. */
  let feed: Feed | undefined
  let stopping = false
  let paused = false
  let onIdle: Array<() => void> = []
  let closing: Promise<void> | undefined

  /** Logs an error that only a defect in tierhook can cause. */
  function failed (error: unknown): void {
    logger.fatal({ err: error }, 'forwarder stopped')
  }

  function notifyIdle (): void {
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

  /** Begins all attempts that may begin now. Returns the milliseconds until there is more to do; `undefined` if that is unknown. */
  async function beginDue (): Promise<number | undefined> {
    while (feed !== undefined && !stopping && !paused) {
      const most = Math.min(forwarder.concurrency - calls.inFlight(), breaker.allowance())
      if (most <= 0) return breaker.state() === 'open' ? Math.ceil(breaker.reopensInMs()) : undefined
      if (inFlightCommits.count() >= maxInFlight) return undefined
      // A probe is one delivery, whatever the batch size.
      const probe = breaker.state() !== 'closed'
      const found = feed.claim(probe ? 1 : most * forwarder.batchSize)
      // Claims from memory come without a promise. Not awaiting them lets the next attempt begin before the last one is logged.
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
      // A person asked for the replay, and must learn why it was not made.
      if (replay) logger.warn({ deliveryId: delivery.id, eventType: delivery.eventType }, 'replay skipped by the filter')
    }
    if (skipped.length > 0) settle(feed, skipped)
    for (let at = 0; at < wanted.length; at += forwarder.batchSize) {
      breaker.started()
      calls.begin(wanted.slice(at, at + forwarder.batchSize))
    }
  }

  function callsEnded (ended: readonly EndedCall[]): void {
    if (feed === undefined) return
    const tell = settleCalls(feed, ended)
    if (calls.aborted() && calls.inFlight() === 0) notifyIdle()
    // Begin the next attempts before these are logged and counted, so that the destination works meanwhile.
    if (ended.some(({ claims }) => claims.length === forwarder.batchSize)) runLoop.now()
    else runLoop.soon()
    tell()
  }

  function settle (feed: Feed, settlements: readonly Settlement[]): void {
    inFlightCommits.add(feed.settle(settlements), 1)
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

  /** Called when an operator has paused or resumed the forwarder through another process. */
  function pausedElsewhere (pausing: boolean): void {
    if (pausing) pause()
    else resume()
    options.onState?.()
  }

  return {
    name: forwarder.name,
    hasStarted: () => feed !== undefined,
    breakerState: breaker.state,
    isPaused: () => paused,
    pause,
    resume,

    async start () {
      const { name, order } = forwarder
      opened = await journal.openFeed({ forwarder: name, order, start: options.start, filter: options.filter, onWork: runLoop.soon, onLost: options.onLost, onPaused: pausedElsewhere })
      paused = opened.paused
      options.onState?.()
      if (paused) logger.warn('forwarder paused by an operator')
      inFlightCommits.add(opened.noteBreaker('closed'), 1)
      await forwarderStart.begin(opened.position)
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
        forwarderStart.end()
        runLoop.end()
        const abort = (): void => {
          calls.abort()
          // Do not wait for the disk longer than for attempts, if it stores no progress or a read does not return.
          if (calls.inFlight() === 0) notifyIdle()
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
