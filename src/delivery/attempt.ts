import type { Attempt, ForwardContext, Forwarder, ForwardResult, Outcome } from './forwarder.js'

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
  const running = new Set<(reason: Error) => void>()
  let aborted: Error | undefined

  async function call (attempts: readonly Attempt[], context: ForwardContext): Promise<unknown> {
    // One that throws before its first await rejects like one that throws after it.
    return await forwarder.forward(attempts, context)
  }

  return {
    async run (attempts) {
      const count = attempts.length
      if (aborted !== undefined) return failAll(count, reasonOf(aborted))
      return await new Promise<ForwardResult>((resolve) => {
        const context = new AttemptContext()

        function end (result: ForwardResult): void {
          clearTimeout(timer)
          running.delete(breakOff)
          resolve(result)
        }

        function breakOff (reason: Error): void {
          end(failAll(count, reasonOf(reason)))
          context.abort(reason)
        }

        const timer = setTimeout(() => { breakOff(new Error(`The forwarder did not finish within ${forwarder.timeoutMs} ms`)) }, forwarder.timeoutMs)
        running.add(breakOff)
        call(attempts, context).then((result) => { end(checkResult(result, count)) }, (error: unknown) => { end(failAll(count, reasonOf(error))) })
      })
    },

    abort (reason) {
      aborted = reason
      for (const breakOff of [...running]) breakOff(reason)
    }
  }
}

/** A signal takes longer to make than all else of an attempt, and most forwarders have no use for it. */
class AttemptContext implements ForwardContext {
  #controller: AbortController | undefined
  #listeners: Array<(reason: unknown) => void> | undefined
  #aborted: { readonly reason: Error } | undefined

  get signal (): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#aborted !== undefined) this.#controller.abort(this.#aborted.reason)
    return this.#controller.signal
  }

  onAbort (listener: (reason: unknown) => void): void {
    if (this.#aborted !== undefined) listener(this.#aborted.reason)
    else (this.#listeners ??= []).push(listener)
  }

  abort (reason: Error): void {
    this.#aborted = { reason }
    this.#controller?.abort(reason)
    for (const listener of this.#listeners ?? []) listener(reason)
  }
}

function checkResult (result: unknown, count: number): ForwardResult {
  const { outcomes, position } = typeof result === 'object' && result !== null ? result as Record<string, unknown> : {}
  if (!Array.isArray(outcomes) || outcomes.length !== count || !outcomes.every(isOutcome)) {
    return failAll(count, `The forwarder must return one outcome for each of its ${count} attempts`)
  }
  return { outcomes, ...(typeof position === 'string' ? { position } : {}) }
}

function isOutcome (value: unknown): value is Outcome {
  if (typeof value !== 'object' || value === null) return false
  const { status, reason, detail, answer, afterMs } = value as Readonly<Record<string, unknown>>
  const texts = [detail, answer].every((text) => text === undefined || typeof text === 'string')
  const known = status === 'forwarded' || ((status === 'retry' || status === 'dead') && typeof reason === 'string')
  return texts && known && (afterMs === undefined || Number.isFinite(afterMs))
}

function failAll (count: number, reason: string): ForwardResult {
  return { outcomes: Array.from({ length: count }, () => ({ status: 'retry', reason })) }
}

/** The message, with the cause's where there is one: undici says "fetch failed" and means what its cause says. */
export function reasonOf (error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : ''
  return `${error.message}${cause}` || error.name
}
