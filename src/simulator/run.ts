import { isSuccess, type Answer } from './answer.js'
import type { Clock } from './clock.js'
import { DueQueue } from './due-queue.js'
import { copyOf, dueAtMs, type Pace } from './pace.js'
import { maxRetries, retryOffsetMs } from '../voucherify/retry-schedule.js'
import { copyFate, type SentEvent } from './sent-event.js'
import type { Tally } from './tally.js'
import type { PayloadGenerator, Webhook } from './webhook.js'

export interface RunOptions {
  readonly generator: PayloadGenerator
  readonly pace: Pace
  /** The most requests in progress at once. */
  readonly limit: number
  /** Retries of an event, up to twelve. If the first try and all twelve retries of an event fail, its source is switched off. */
  readonly retries: number
  /** How many times faster than real time the clock of the retries is. */
  readonly clockFactor: number
  /** The share (0 to 1) of events that are sent again after they were accepted. */
  readonly duplicates: number
  /** The share (0 to 1) of events that are sent twice at once, as when a retry overtakes a slow answer. */
  readonly overlaps: number
  /** Never rejects. */
  readonly post: (webhook: Webhook) => Promise<Answer>
  readonly clock: Clock
  readonly tally: Tally
  /** Ends the run as soon as no request is in progress. The code that aborts it must abort the requests too. */
  readonly signal: AbortSignal
  readonly onAnswer?: (answer: Answer) => void
  /** Called once for each accepted event. */
  readonly onAccepted?: (index: number, answer: Answer) => void
}

interface Planned {
  readonly event: SentEvent
  readonly copy: boolean
}

/** The most requests to start before answers are read again. With more, answers would seem slower than they were. */
const batch = 32
/** The most events that wait for a retry. At this number, no new events are begun. */
const waitingLimit = 1_000_000

/** Node's timers fire at once if they are set to more than 24 days. */
const maxTimerMs = 86_400_000

/** Sends events as Voucherify does until all events are settled, or the signal aborts. */
export async function run (options: RunOptions): Promise<void> {
  const { generator, pace, limit, clock, tally, signal } = options
  const begunAt = clock.monotonic()
  const queue = new DueQueue<Planned>()
  const off = new Set<string>()
  let next = 0
  let underWay = 0
  let cancelTimer = (): void => {}
  let finish = (): void => {}
  const finished = new Promise<void>(resolve => { finish = resolve })

  /** Milliseconds since the beginning, as all times below except `happenedAt`. */
  const elapsed = (): number => clock.monotonic() - begunAt

  /** Returns when the next new event is due; `undefined` if there is none, if all sources are switched off, or if the queue is full. */
  function nextDueAt (now: number): number | undefined {
    return queue.size >= waitingLimit || off.size >= generator.sources.length ? undefined : dueAtMs(pace, next, now)
  }

  function tick (): void {
    cancelTimer()
    const now = elapsed()
    for (let count = 0; count < batch && !signal.aborted; count++) {
      if (underWay >= limit) {
        if ((nextDueAt(now) ?? Infinity) < now) tally.limitReached()
        break
      }
      const errand = queue.take(now)
      const dueAt = errand === undefined ? nextDueAt(now) : errand.dueAt
      if (dueAt === undefined || dueAt > now) break
      if (errand === undefined) beginNext(dueAt)
      else sendPlanned(errand.item, dueAt)
    }
    if (underWay === 0 && (signal.aborted || (queue.size === 0 && nextDueAt(now) === undefined))) {
      finish()
    } else if (!signal.aborted && underWay < limit) {
      const wakeAt = Math.min(queue.nextAt ?? Infinity, nextDueAt(now) ?? Infinity)
      if (wakeAt < Infinity) cancelTimer = clock.after(Math.min(Math.max(Math.ceil(wakeAt - elapsed()), 0), maxTimerMs), tick)
    }
  }

  function beginNext (dueAt: number): void {
    const index = next++
    const source = generator.sourceOf(index)
    if (off.has(source)) {
      tally.lost(source, { unsent: true })
      return
    }
    const firstAt = elapsed()
    const copy = copyOf(index, options)
    const event: SentEvent = {
      index, source, happenedAt: clock.now(), firstAt, copiedLater: copy === 'after', strikes: 0, pending: 0, accepted: false, exhausted: false, settled: false
    }
    tally.sent(firstAt - dueAt)
    if (copy === 'beside') plan(event, { copy: true, dueAt: firstAt })
    event.pending++
    request(event, { copy: false, dueAt })
  }

  function plan (event: SentEvent, { copy, dueAt }: { readonly copy: boolean, readonly dueAt: number }): void {
    event.pending++
    queue.push(dueAt, { event, copy })
  }

  function sendPlanned ({ event, copy }: Planned, dueAt: number): void {
    // The event's copy was accepted meanwhile.
    if (!copy && event.accepted) {
      event.pending--
      settle(event)
      return
    }
    if (copy) tally.copySent()
    else tally.retrySent()
    request(event, { copy, dueAt })
  }

  function request (event: SentEvent, { copy, dueAt }: { readonly copy: boolean, readonly dueAt: number }): void {
    underWay++
    options.post(generator.webhook(event.index, event.happenedAt)).then(answer => {
      underWay--
      // A request that was aborted has no answer.
      if (!signal.aborted || typeof answer.status === 'number') answered(event, copy, answer, elapsed() - dueAt)
      tick()
    })
  }

  function answered (event: SentEvent, copy: boolean, answer: Answer, latencyMs: number): void {
    event.pending--
    tally.answered(answer, { latencyMs, event: event.index, attempt: event.strikes + 1 })
    options.onAnswer?.(answer)
    if (copy) event.copyAnswer = answer
    if (isSuccess(answer)) accept(event, copy, answer)
    else if (!copy) strike(event)
    settle(event)
  }

  function accept (event: SentEvent, copy: boolean, answer: Answer): void {
    if (!copy) {
      event.taken = answer
      if (event.copiedLater) plan(event, { copy: true, dueAt: elapsed() })
    }
    if (event.accepted) return
    event.accepted = true
    tally.accepted()
    options.onAccepted?.(event.index, answer)
  }

  function strike (event: SentEvent): void {
    event.strikes++
    tally.strikes(event.strikes)
    if (event.accepted || off.has(event.source)) return
    if (event.strikes <= options.retries) {
      plan(event, { copy: false, dueAt: event.firstAt + retryOffsetMs(event.strikes) / options.clockFactor })
      return
    }
    event.exhausted = true
    if (event.strikes > maxRetries) switchOff(event.source)
  }

  function switchOff (source: string): void {
    off.add(source)
    tally.switchedOff(source, elapsed())
    for (const { event } of queue.remove(({ event }) => event.source === source)) {
      event.pending--
      settle(event)
    }
    if (off.size < generator.sources.length || !('events' in pace)) return
    while (next < pace.events) tally.lost(generator.sourceOf(next++), { unsent: true })
  }

  function settle (event: SentEvent): void {
    if (event.pending > 0 || event.settled) return
    event.settled = true
    const fate = copyFate(event)
    if (fate !== undefined) tally.copyAnswered(fate)
    if (event.accepted) return
    if (event.exhausted) tally.failed()
    else tally.lost(event.source, { unsent: false })
  }

  signal.addEventListener('abort', tick)
  tick()
  await finished
  signal.removeEventListener('abort', tick)
  cancelTimer()
}
