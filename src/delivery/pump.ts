import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { attemptBatch } from './attempt.js'
import { createCircuitBreaker, type BreakerState } from './circuit-breaker.js'
import type { Clock } from './clock.js'
import type { Delivery } from './delivery.js'
import type { Forwarder, Outcome } from './forwarder.js'
import type { Claim, Feed, Journal, Settlement } from './journal.js'
import type { Observer } from './observation.js'
import { backoffMs, type RetryPolicy } from './retry-policy.js'

export interface PumpOptions {
  readonly forwarder: Forwarder
  readonly journal: Journal
  readonly start: 'now' | 'beginning'
  /** Whether the forwarder wants a delivery. */
  readonly accepts: (delivery: Delivery) => boolean
  readonly retry: RetryPolicy
  readonly breakerThreshold: number
  readonly clock: Clock
  readonly random: () => number
  readonly logger: Logger
  readonly onAttempts?: Observer['attemptsEnded']
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

/** Settlements that may wait to get to the disk, in batches, before no more are begun. */
const UNSETTLED_BATCHES = 256
/** How soon reading is tried again after it failed, in milliseconds. */
const READ_RETRY_MS = 1000

export function createPump (options: PumpOptions): Pump {
  const { forwarder, journal, retry, clock, random } = options
  const logger = options.logger.child({ forwarder: forwarder.name })
  const breaker = createCircuitBreaker({
    threshold: options.breakerThreshold, minMs: retry.minMs, maxMs: retry.maxMs, monotonic: clock.monotonic, random
  })
  const stop = new AbortController()
  // Each attempt under way listens, and there are as many as the forwarder takes at once.
  setMaxListeners(0, stop.signal)
  let opened: Feed | undefined
  /** Only once the forwarder has started. */
  let feed: Feed | undefined
  let inFlight = 0
  let unsettled = 0
  let turning = false
  let turnAgain = false
  let stopping = false
  let paused = false
  let timer: NodeJS.Timeout | undefined
  let onIdle: Array<() => void> = []
  let closing: Promise<void> | undefined

  /** A forwarder that can't start is down like one that can't forward: it is tried again, and costs nobody else anything. */
  async function beginWith (opened: Feed, attempt: number): Promise<void> {
    try {
      await forwarder.start?.(opened.position)
    } catch (error) {
      const retryInMs = backoffMs(attempt, retry, random())
      logger.error({ err: error, attempt, retryInMs: Math.round(retryInMs) }, 'forwarder cannot start')
      if (!stopping) timer = setTimeout(() => { beginWith(opened, attempt + 1).catch(failed) }, retryInMs)
      return
    }
    feed = opened
    turn()
  }

  /** What comes here is a defect of ours. */
  function failed (error: unknown): void {
    logger.fatal({ err: error }, 'forwarder stopped')
  }

  /** Never two turns at once; a call during one makes another follow. */
  function turn (): void {
    if (feed === undefined) return
    if (turning) {
      turnAgain = true
      return
    }
    turning = true
    turnAgain = false
    clearTimeout(timer)
    claimDue(feed)
      .catch((error: unknown) => {
        logger.error({ err: error }, 'forwarder cannot read the journal')
        return READ_RETRY_MS
      })
      .then((waitMs) => {
        turning = false
        if (turnAgain) turn()
        else rest(waitMs)
      }, failed)
  }

  function rest (waitMs: number | undefined): void {
    if (waitMs !== undefined && !stopping) timer = setTimeout(turn, waitMs)
    if (inFlight > 0 || unsettled > 0) return
    tellIdle()
  }

  function tellIdle (): void {
    const listeners = onIdle
    onIdle = []
    for (const listener of listeners) listener()
  }

  /** Begins all attempts that may begin now. Returns how long there is nothing to do for, where that is known. */
  async function claimDue (feed: Feed): Promise<number | undefined> {
    while (!stopping && !paused) {
      const calls = Math.min(forwarder.concurrency - inFlight, breaker.allowance())
      if (calls <= 0) return breaker.state() === 'open' ? Math.ceil(breaker.reopensInMs()) : undefined
      if (unsettled >= UNSETTLED_BATCHES) return undefined
      // A probe is one delivery, whatever the size of a batch.
      const probe = breaker.state() !== 'closed'
      const { claims, dueInMs } = await feed.claim(probe ? 1 : calls * forwarder.batchSize)
      if (claims.length === 0) return dueInMs === undefined ? undefined : Math.ceil(dueInMs)
      begin(feed, claims)
    }
    return undefined
  }

  function begin (feed: Feed, claims: readonly Claim[]): void {
    if (stopping || paused) return settle(feed, claims.map((claim) => ({ claim, result: { status: 'returned' } })))
    const wanted = claims.filter(({ delivery }) => options.accepts(delivery))
    const skipped = claims.filter((claim) => !wanted.includes(claim))
    if (skipped.length > 0) settle(feed, skipped.map((claim) => ({ claim, result: { status: 'skipped' } })))
    for (let at = 0; at < wanted.length; at += forwarder.batchSize) {
      inFlight++
      breaker.started()
      attempt(feed, wanted.slice(at, at + forwarder.batchSize)).catch(failed)
    }
  }

  async function attempt (feed: Feed, claims: readonly Claim[]): Promise<void> {
    const startedAt = clock.now()
    const before = clock.monotonic()
    const attempts = claims.map(({ delivery, attempt, replay }) => ({ delivery, number: attempt, replay }))
    const { outcomes, position } = await attemptBatch(forwarder, attempts, stop.signal)
    const durationMs = clock.monotonic() - before
    inFlight--
    if (stop.signal.aborted) {
      settle(feed, claims.map((claim) => ({ claim, result: { status: 'returned' } })))
      if (inFlight === 0) tellIdle()
      return
    }
    options.onAttempts?.({ forwarder: forwarder.name, outcomes, durationMs })
    note(feed, outcomes)
    settle(feed, claims.map((claim, index) => settlement(claim, outcomes[index] ?? nothing, { startedAt, durationMs })), position)
    turn()
  }

  /** One batch is one sign of life, or of its absence. */
  function note (feed: Feed, outcomes: readonly Outcome[]): void {
    const before = breaker.state()
    // A destination that says "never" to one delivery is there and answers.
    if (outcomes.some(({ status }) => status !== 'retry')) breaker.succeeded()
    else breaker.failed()
    const after = breaker.state()
    if ((before === 'closed') !== (after === 'closed')) keep(feed.noteBreaker(after))
    if (before === 'closed' && after === 'open') logger.warn({ probeInMs: Math.ceil(breaker.reopensInMs()) }, 'forwarder paused')
    if (before !== 'closed' && after === 'closed') logger.info('forwarder goes on')
  }

  function settlement (claim: Claim, outcome: Outcome, times: { startedAt: number, durationMs: number }): Settlement {
    const { delivery, attempt } = claim
    const fields = { deliveryId: delivery.id, eventType: delivery.eventType, attempt, replay: claim.replay, ms: Math.round(times.durationMs) }
    switch (outcome.status) {
      case 'forwarded':
        // One line an attempt, but where the attempt is a line itself, in the log or a file.
        if (forwarder.recordsSuccess === true || claim.replay) logger.info({ ...fields, detail: outcome.detail }, 'delivery forwarded')
        else logger.debug({ ...fields, detail: outcome.detail }, 'delivery forwarded')
        return { claim, result: { status: 'forwarded', detail: withAnswer(outcome.detail ?? '', outcome) }, ...(forwarder.recordsSuccess === true || claim.replay ? { record: times } : {}) }
      case 'dead':
        logger.error({ ...fields, reason: outcome.reason }, 'delivery dead')
        return { claim, result: { status: 'dead', reason: withAnswer(outcome.reason, outcome) }, record: times }
      case 'retry': {
        const giveUpMs = forwarder.giveUpMs ?? retry.giveUpMs
        const delayMs = Math.max(backoffMs(attempt, retry, random()), outcome.afterMs ?? 0)
        if (claim.waitedMs + delayMs > giveUpMs) {
          const reason = `given up after ${attempt} attempts: ${outcome.reason}`
          logger.error({ ...fields, reason }, 'delivery dead')
          return { claim, result: { status: 'dead', reason: withAnswer(reason, outcome) }, record: times }
        }
        logger.warn({ ...fields, reason: outcome.reason, retryInMs: Math.round(delayMs) }, 'delivery to be retried')
        return { claim, result: { status: 'retry', reason: withAnswer(outcome.reason, outcome), delayMs }, record: times }
      }
    }
  }

  function settle (feed: Feed, settlements: readonly Settlement[], position?: string): void {
    keep(feed.settle(settlements, position))
  }

  /** What could not be kept in order would be lost at a restart, so no more is begun while too much of it waits. */
  function keep (kept: Promise<void>): void {
    unsettled++
    kept
      .catch((error: unknown) => { logger.error({ err: error }, 'forwarder progress not stored') })
      .finally(() => {
        unsettled--
        turn()
      })
  }

  return {
    name: forwarder.name,
    breakerState: breaker.state,
    isPaused: () => paused,

    pause () {
      if (paused) return
      paused = true
      logger.warn('forwarder paused by an operator')
    },

    resume () {
      if (!paused) return
      paused = false
      logger.info('forwarder resumed by an operator')
      turn()
    },

    async start () {
      opened = await journal.openFeed({ forwarder: forwarder.name, order: forwarder.order, start: options.start, onWork: turn })
      keep(opened.noteBreaker('closed'))
      // A forwarder that hangs in its start must not hold up the service's.
      const begun = new AbortController()
      await Promise.race([
        beginWith(opened, 1).finally(() => { begun.abort() }),
        sleep(forwarder.timeoutMs, undefined, { signal: begun.signal }).catch(() => undefined)
      ])
    },

    async idle () {
      await new Promise<void>((resolve) => {
        onIdle.push(resolve)
        turn()
      })
    },

    async close (signal) {
      closing ??= (async () => {
        stopping = true
        clearTimeout(timer)
        const abort = (): void => {
          stop.abort(new Error('The service is stopping'))
          // A disk that takes no progress, or that is being read and does not answer, is waited for no longer than attempts are.
          if (inFlight === 0) tellIdle()
        }
        if (feed !== undefined) {
          await new Promise<void>((resolve) => {
            onIdle.push(resolve)
            turn()
            signal.addEventListener('abort', abort)
            if (signal.aborted) abort()
          })
        }
        await opened?.close()
        signal.removeEventListener('abort', abort)
        await forwarder.close?.({ settled: unsettled === 0 })
      })()
      await closing
    }
  }
}

const nothing: Outcome = { status: 'retry', reason: 'The forwarder returned nothing' }

/** What is kept of an attempt, and not logged. */
function withAnswer (text: string, { answer }: Outcome): string {
  return answer === undefined ? text : `${text}: ${answer}`
}
