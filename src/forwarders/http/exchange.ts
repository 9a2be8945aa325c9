import type { Dispatcher } from 'undici'
import type { ForwardContext } from '../../delivery/forwarder.js'

export type AnswerHeaders = Readonly<Record<string, string | string[] | undefined>>

export interface Answer {
  readonly statusCode: number
  readonly headers: AnswerHeaders
  /** The first bytes of the body. */
  readonly start: Uint8Array
  /** Why the answer did not come to its end; absent where it did, and where it was dropped for its size. */
  readonly brokenBy?: unknown
}

export interface ExchangeLimits {
  /** Time for everything, from waiting for a connection to the end of the body, in milliseconds. */
  readonly timeoutMs: number
  /** How much of the body is read. A longer one is dropped, together with its connection. */
  readonly bodyLimitBytes: number
  /** How much of the body is kept. */
  readonly keepBytes: number
}

const NOTHING = new Uint8Array(0)

/**
 * Sends one request and reads its answer. Whatever the destination does, it is over when this settles or soon after:
 * nothing is written, read or held any more.
 * @throws what kept the head of an answer from coming
 */
export async function exchange (dispatcher: Dispatcher, request: Dispatcher.DispatchOptions, limits: ExchangeLimits, context: ForwardContext): Promise<Answer> {
  const { timeoutMs, bodyLimitBytes, keepBytes } = limits
  return await new Promise<Answer>((resolve, reject) => {
    const chunks: Buffer[] = []
    let head: Pick<Answer, 'statusCode' | 'headers'> | undefined
    let controller: Dispatcher.DispatchController | undefined
    let bytes = 0
    let settled = false
    let unwatch = nothing

    function settle (brokenBy?: unknown): void {
      if (settled) {
        unwatch()
        return
      }
      settled = true
      clearTimeout(timer)
      unwatch()
      if (head === undefined) {
        reject(brokenBy)
        return
      }
      const start = chunks.length === 0 ? NOTHING : Buffer.concat(chunks).subarray(0, keepBytes)
      const { statusCode, headers } = head
      resolve(brokenBy === undefined ? { statusCode, headers, start } : { statusCode, headers, start, brokenBy })
    }

    function breakOff (reason: Error): void {
      settle(reason)
      controller?.abort(reason)
    }

    function aborted (reason: unknown): void {
      breakOff(new Error('The attempt was stopped', { cause: reason }))
    }

    const timer = setTimeout(() => { breakOff(new Error(`There was no whole answer within ${timeoutMs} ms`)) }, timeoutMs)
    unwatch = watchAbort(context, aborted)
    if (settled) {
      unwatch()
      return
    }

    dispatcher.dispatch(request, {
      onRequestStart (started) {
        controller = started
        // A request that waited for its connection until its time was over must not be sent any more.
        if (settled) started.abort(new Error('The attempt is over'))
      },
      onResponseStart (_controller, statusCode, headers) {
        // What comes before the answer proper, such as 103 Early Hints, decides nothing.
        if (statusCode >= 200) head = { statusCode, headers }
      },
      onResponseData (started, chunk) {
        if (bytes < keepBytes) chunks.push(chunk)
        bytes += chunk.byteLength
        if (bytes <= bodyLimitBytes) return
        settle()
        started.abort(new Error('The body is too long'))
      },
      onResponseEnd () { settle() },
      onResponseError (_controller, error) { settle(error) }
    })
  })
}

/** Tells of an abort, also of one that was before. Returns what is to be called when nobody wants to know any more. */
function watchAbort (context: ForwardContext, aborted: (reason: unknown) => void): () => void {
  if (context.onAbort !== undefined) {
    context.onAbort(aborted)
    return nothing
  }
  const { signal } = context
  const listener = (): void => { aborted(signal.reason) }
  signal.addEventListener('abort', listener)
  if (signal.aborted) listener()
  return () => { signal.removeEventListener('abort', listener) }
}

function nothing (): void {}
