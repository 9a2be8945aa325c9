import { createDeadlines, type Deadlines, type Timed } from './deadlines.js'
import type { Attempt, ForwardContext, Forwarder, ForwardResult, Outcome } from './forwarder.js'

/** How much is kept of a reason, a detail or an answer, in UTF-16 code units. */
const LONGEST_TEXT = 2048

/** The calls of one forwarder. */
export interface Attempts {
  /**
   * Calls the forwarder and makes sure of what comes back: it may throw, hang or return nonsense, and all of that is a failed
   * attempt and nothing more. Never rejects; resolves once the forwarder is done or its time is over.
   */
  readonly run: (attempts: readonly Attempt[]) => Promise<ForwardResult>
  /** Ends all that run, and all that are begun later, at once. */
  readonly abort: (reason: Error) => void
}

export function createAttempts (forwarder: Forwarder): Attempts {
  const calls = createDeadlines<Call>(forwarder.timeoutMs)
  let aborted: Error | undefined

  return {
    async run (attempts) {
      if (aborted !== undefined) return failAll(attempts.length, reasonOf(aborted))
      return await new Promise<ForwardResult>((resolve) => { new Call(forwarder, attempts.length, calls, resolve).begin(attempts) })
    },

    abort (reason) {
      aborted = reason
      for (const call of [...calls.running()]) call.breakOff(reason)
    }
  }
}

/** One call of a forwarder. A class, because functions of its own for each call took several times as much memory. */
class Call implements ForwardContext, Timed {
  place = -1
  overAt = 0
  readonly #forwarder: Forwarder
  readonly #count: number
  readonly #calls: Deadlines<Call>
  readonly #resolve: (result: ForwardResult) => void
  #controller: AbortController | undefined
  #listeners: Array<(reason: unknown) => void> | undefined
  #aborted: { readonly reason: Error } | undefined

  constructor (forwarder: Forwarder, count: number, calls: Deadlines<Call>, resolve: (result: ForwardResult) => void) {
    this.#forwarder = forwarder
    this.#count = count
    this.#calls = calls
    this.#resolve = resolve
  }

  begin (attempts: readonly Attempt[]): void {
    this.#calls.add(this)
    this.#forward(attempts).then((result) => { this.#end(checkResult(result, this.#count)) }, (error: unknown) => { this.#end(failAll(this.#count, reasonOf(error))) })
  }

  /** One that throws before its first await rejects like one that throws after it. */
  async #forward (attempts: readonly Attempt[]): Promise<unknown> {
    return await this.#forwarder.forward(attempts, this)
  }

  #end (result: ForwardResult): void {
    this.#calls.remove(this)
    this.#resolve(result)
  }

  breakOff (reason: Error): void {
    this.#end(failAll(this.#count, reasonOf(reason)))
    this.#aborted = { reason }
    this.#controller?.abort(reason)
    for (const listener of this.#listeners ?? []) tell(listener, reason)
  }

  timeOver (): void {
    this.breakOff(new Error(`The forwarder did not finish within ${this.#forwarder.timeoutMs} ms`))
  }

  /** It takes longer to make than all else of an attempt, and most forwarders have no use for it. */
  get signal (): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#aborted !== undefined) this.#controller.abort(this.#aborted.reason)
    return this.#controller.signal
  }

  /** Made for whoever asks for it, so that it may be taken out of its context, as `signal` may. */
  get onAbort (): (listener: (reason: unknown) => void) => void {
    return (listener) => {
      if (this.#aborted !== undefined) listener(this.#aborted.reason)
      else (this.#listeners ??= []).push(listener)
    }
  }
}

/** What a listener throws has nobody to go to: its attempt is over, and others have yet to be told. */
function tell (listener: (reason: unknown) => void, reason: unknown): void {
  try {
    listener(reason)
  } catch {
    // It has been told, and what it makes of that is its own.
  }
}

/**
 * What came back, as values of our own: the forwarder may change its own later, when somebody else reads them, and to read them
 * may run its code. Never throws.
 */
function checkResult (result: unknown, count: number): ForwardResult {
  try {
    const { outcomes, position } = typeof result === 'object' && result !== null ? result as Record<string, unknown> : {}
    // One that was left out of an array comes as undefined, and is no outcome.
    const checked = Array.isArray(outcomes) && outcomes.length === count ? Array.from(outcomes, toOutcome).filter((outcome) => outcome !== undefined) : []
    if (checked.length !== count) return failAll(count, `The forwarder must return one outcome for each of its ${count} attempts`)
    return typeof position === 'string' ? { outcomes: checked, position } : { outcomes: checked }
  } catch (error) {
    return failAll(count, reasonOf(error))
  }
}

function toOutcome (value: unknown): Outcome | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { status, reason, detail, answer, afterMs } = value as Readonly<Record<string, unknown>>
  if (!isTextOrNothing(detail) || !isTextOrNothing(answer) || !(afterMs === undefined || (typeof afterMs === 'number' && Number.isFinite(afterMs)))) return undefined
  // Nearly all of them: to put objects together takes longer than the rest of this.
  if (status === 'forwarded' && answer === undefined) return detail === undefined ? { status } : { status, detail: cut(detail) }
  const told = answer === undefined ? {} : { answer: cut(answer) }
  if (status === 'forwarded') return { status, ...(detail === undefined ? {} : { detail: cut(detail) }), ...told }
  if (typeof reason !== 'string') return undefined
  if (status === 'dead') return { status, reason: cut(reason), ...told }
  if (status === 'retry') return { status, reason: cut(reason), ...(afterMs === undefined ? {} : { afterMs }), ...told }
  return undefined
}

function isTextOrNothing (value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string'
}

/** It is kept with every attempt. */
function cut (text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text
}

function failAll (count: number, reason: string): ForwardResult {
  return { outcomes: Array.from({ length: count }, () => ({ status: 'retry', reason })) }
}

/** The message, with the cause's where there is one: undici says "fetch failed" and means what its cause says. Never throws. */
export function reasonOf (error: unknown): string {
  try {
    return cut(words(error))
  } catch {
    // It has a message that throws, or is an object that cannot be made a text.
    return 'The forwarder failed, and its error cannot be read'
  }
}

function words (error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : ''
  return `${error.message}${cause}` || String(error.name)
}
