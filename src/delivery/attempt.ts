import { createDeadlines, type Deadlines, type Timed } from './deadlines.js'
import type { Attempt, ForwardContext, Forwarder, ForwardResult, Outcome } from './forwarder.js'

/** The most that is kept of a reason, a detail or an answer, in UTF-16 code units. */
const MAX_TEXT_LENGTH = 2048

/** The calls of one forwarder. */
export interface Attempts {
  /**
   * Calls the forwarder and checks what it returns. A forwarder that throws, hangs or returns nonsense makes the attempts fail, and nothing
   * else. Never rejects. Resolves when the forwarder has returned or its time is over.
   */
  readonly run: (attempts: readonly Attempt[]) => Promise<ForwardResult>
  /** Ends at once all calls under way, and all calls made later. */
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

/** One call of a forwarder. This is a class because closures for each call took several times as much memory. */
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

  /** Is `async` so that a forwarder that throws before its first await rejects like one that throws after it. */
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

  /** Made on first use: the signal takes longer to make than everything else of an attempt, and most forwarders do not use it. */
  get signal (): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#aborted !== undefined) this.#controller.abort(this.#aborted.reason)
    return this.#controller.signal
  }

  /** Returns a new closure, so that a forwarder may destructure it from its context, like `signal`. */
  get onAbort (): (listener: (reason: unknown) => void) => void {
    return (listener) => {
      if (this.#aborted !== undefined) listener(this.#aborted.reason)
      else (this.#listeners ??= []).push(listener)
    }
  }
}

/** Calls a listener and ignores what it throws: the attempt is over, and the other listeners must still be called. */
function tell (listener: (reason: unknown) => void, reason: unknown): void {
  try {
    listener(reason)
  } catch {
    // The listener was called. Its error concerns no other listener.
  }
}

/**
 * Copies what the forwarder returned into objects of our own: the forwarder may change its objects later, and reading them may run its code.
 * Never throws.
 */
function checkResult (result: unknown, count: number): ForwardResult {
  try {
    const { outcomes, position } = typeof result === 'object' && result !== null ? result as Record<string, unknown> : {}
    // `Array.from` reads a hole in the array as undefined, which is no outcome.
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
  // Nearly all outcomes take this path. Spreading objects takes longer than the rest of this function.
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

/** Limits the length, because the text is kept with every attempt. */
function cut (text: string): string {
  return text.length > MAX_TEXT_LENGTH ? `${text.slice(0, MAX_TEXT_LENGTH)}…` : text
}

function failAll (count: number, reason: string): ForwardResult {
  return { outcomes: Array.from({ length: count }, () => ({ status: 'retry', reason })) }
}

/**
 * Returns the error's message, followed by its cause's message if there is a cause: undici says "fetch failed", and only the cause says why.
 * Never throws.
 */
export function reasonOf (error: unknown): string {
  try {
    return cut(words(error))
  } catch {
    // The message is a getter that throws, or the object cannot be made a string.
    return 'The forwarder failed, and its error cannot be read'
  }
}

function words (error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : ''
  return `${error.message}${cause}` || String(error.name)
}
