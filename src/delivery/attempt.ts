import type { Attempt, Forwarder, ForwardResult, Outcome } from './forwarder.js'

/**
 * Calls a forwarder and makes sure of what comes back: it may throw, hang or return nonsense, and all of that is a failed
 * attempt and nothing more. Never rejects; resolves once the forwarder is done or its time is over.
 */
export async function attemptBatch (forwarder: Forwarder, attempts: readonly Attempt[], stop: AbortSignal): Promise<ForwardResult> {
  if (stop.aborted) return failAll(attempts.length, reasonOf(stop.reason))
  const controller = new AbortController()
  const abort = (): void => { controller.abort(stop.reason) }
  stop.addEventListener('abort', abort)
  let timer: NodeJS.Timeout | undefined
  try {
    const timeout = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        const error = new Error(`The forwarder did not finish within ${forwarder.timeoutMs} ms`)
        controller.abort(error)
        reject(error)
      }, forwarder.timeoutMs)
    })
    const stopped = new Promise<never>((_resolve, reject) => { controller.signal.addEventListener('abort', () => { reject(controller.signal.reason) }) })
    const result = await Promise.race([callForwarder(forwarder, attempts, controller.signal), timeout, stopped])
    return checkResult(result, attempts.length)
  } catch (error) {
    return failAll(attempts.length, reasonOf(error))
  } finally {
    clearTimeout(timer)
    stop.removeEventListener('abort', abort)
  }
}

/** A forwarder that throws before its first await rejects like one that throws after it. */
async function callForwarder (forwarder: Forwarder, attempts: readonly Attempt[], signal: AbortSignal): Promise<unknown> {
  return await forwarder.forward(attempts, { signal })
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
