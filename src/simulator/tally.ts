import { answerKey, isSuccess, type Answer } from './answer.js'
import { Histogram } from './histogram.js'
import { eventsOf, type Pace } from './pace.js'
import type { ProblemSample, Report } from './report.js'

/** How late an event may be sent and still be on schedule, in milliseconds. Timers and garbage collection cause such delays. */
const toleratedLateMs = 100
/** The most kinds of answers that are counted separately. A receiver that names each problem differently must not fill the memory. */
const maxKinds = 50
const maxSamples = 10

export type CopyFate = 'recognised' | 'unmarked' | 'takenTwice' | 'refused'

/** Counts events and requests by their results, and keeps none of them. */
export class Tally {
  readonly #pace: Pace
  readonly #latency = new Histogram()
  readonly #answers = new Map<string, number>()
  readonly #problems = new Map<string, ProblemSample>()
  readonly #off = new Map<string, { afterMs: number, lost: number }>()
  readonly #events = { sent: 0, accepted: 0, failed: 0, lost: 0 }
  readonly #copies = { sent: 0, recognised: 0, unmarked: 0, takenTwice: 0, refused: 0 }
  readonly #schedule = { lateStarts: 0, latestMs: 0, limitReached: false }
  #lostUnsent = 0
  #timeouts = 0
  #networkErrors = 0
  #duplicates = 0
  #retries = 0
  #mostStrikes = 0

  constructor (pace: Pace) {
    this.#pace = pace
  }

  /** The number of settled events. */
  get settled (): number {
    return this.#events.accepted + this.#events.failed + this.#events.lost
  }

  sent (lateMs: number): void {
    this.#events.sent++
    if (lateMs > toleratedLateMs) this.#schedule.lateStarts++
    this.#schedule.latestMs = Math.max(this.#schedule.latestMs, lateMs)
  }

  limitReached (): void {
    this.#schedule.limitReached = true
  }

  copySent (): void {
    this.#copies.sent++
  }

  copyAnswered (fate: CopyFate): void {
    this.#copies[fate]++
  }

  retrySent (): void {
    this.#retries++
  }

  answered (answer: Answer, { latencyMs, event, attempt }: { readonly latencyMs: number, readonly event: number, readonly attempt: number }): void {
    this.#latency.add(latencyMs)
    const key = answerKey(answer)
    const kind = this.#answers.has(key) || this.#answers.size < maxKinds ? key : 'other'
    this.#answers.set(kind, (this.#answers.get(kind) ?? 0) + 1)
    if (answer.status === 'timeout') this.#timeouts++
    else if (typeof answer.status === 'string') this.#networkErrors++
    if (answer.duplicate === true) this.#duplicates++
    if (isSuccess(answer) || this.#problems.has(key) || this.#problems.size >= maxSamples) return
    const { status, message, faults } = answer
    this.#problems.set(key, { event, attempt, status, message, ...faults === undefined ? {} : { faults } })
  }

  strikes (ofOneEvent: number): void {
    this.#mostStrikes = Math.max(this.#mostStrikes, ofOneEvent)
  }

  accepted (): void {
    this.#events.accepted++
  }

  failed (): void {
    this.#events.failed++
  }

  switchedOff (source: string, afterMs: number): void {
    this.#off.set(source, { afterMs, lost: 0 })
  }

  /** Counts an event of a source that is switched off. `unsent` means that the event was never tried. */
  lost (source: string, { unsent }: { readonly unsent: boolean }): void {
    this.#events.lost++
    if (unsent) this.#lostUnsent++
    const off = this.#off.get(source)
    if (off !== undefined) off.lost++
  }

  report ({ elapsedMs, stopped }: { readonly elapsedMs: number, readonly stopped: boolean }): Report {
    const { sent, accepted, failed, lost } = this.#events
    return {
      elapsedMs,
      stopped,
      events: { planned: eventsOf(this.#pace) ?? null, sent, accepted, failed, lost, unfinished: sent - accepted - failed - (lost - this.#lostUnsent) },
      requests: this.#events.sent + this.#retries + this.#copies.sent,
      answers: Object.fromEntries(this.#answers),
      timeouts: this.#timeouts,
      networkErrors: this.#networkErrors,
      duplicatesRecognised: this.#duplicates,
      copies: { ...this.#copies },
      latencyMs: this.#latency.percentiles(),
      schedule: this.#pace.kind === 'open' ? { perSecond: this.#pace.perSecond, kept: this.#schedule.lateStarts === 0, ...this.#schedule } : null,
      retries: { spent: this.#retries, mostStrikes: this.#mostStrikes },
      switchedOff: [...this.#off].map(([source, off]) => ({ source, ...off })),
      problems: [...this.#problems.values()]
    }
  }
}
