import type { Dispatcher } from 'undici'
import { createDeadlines, type Deadlines, type Timed } from '../../delivery/deadlines.js'
import type { ForwardContext } from '../../delivery/forwarder.js'

export type AnswerHeaders = Readonly<Record<string, string | string[] | undefined>>

export interface Answer {
  readonly statusCode: number
  readonly headers: AnswerHeaders
  /** The first bytes of the body. */
  readonly start: Uint8Array
  /** Whether that is all of the body. */
  readonly whole: boolean
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
const RESET_CONTENT = 205
/** Statuses whose answers are whole at the end of their heads, whatever length they say (RFC 9112, section 6.3; of 205: RFC 9110, section 15.3.6). */
const WITHOUT_CONTENT: ReadonlySet<number> = new Set([204, RESET_CONTENT, 304])

/**
 * Sends one request and reads its answer. Whatever the destination does, it is over when this settles or soon after:
 * nothing is written, read or held any more.
 * @throws what kept the head of an answer from coming
 */
export type Exchange = (request: Dispatcher.DispatchOptions, context: ForwardContext) => Promise<Answer>

export function createExchange (dispatcher: Dispatcher, limits: ExchangeLimits): Exchange {
  const deadlines = createDeadlines<RunningExchange>(limits.timeoutMs)
  return async (request, context) => await new Promise<Answer>((resolve, reject) => {
    const exchange = new RunningExchange(limits, deadlines, resolve, reject)
    if (exchange.begin(context)) dispatcher.dispatch(request, exchange)
  })
}

class RunningExchange implements Dispatcher.DispatchHandler, Timed {
  place = -1
  overAt = 0
  readonly #limits: ExchangeLimits
  readonly #deadlines: Deadlines<RunningExchange>
  readonly #resolve: (answer: Answer) => void
  readonly #reject: (reason: unknown) => void
  #chunks: Buffer[] | undefined
  #bytes = 0
  #statusCode: number | undefined
  #headers: AnswerHeaders = {}
  #controller: Dispatcher.DispatchController | undefined
  #settled = false
  #unwatch = nothing

  constructor (limits: ExchangeLimits, deadlines: Deadlines<RunningExchange>, resolve: (answer: Answer) => void, reject: (reason: unknown) => void) {
    this.#limits = limits
    this.#deadlines = deadlines
    this.#resolve = resolve
    this.#reject = reject
  }

  /** Returns whether there is anything to do: it may have been stopped before. */
  begin (context: ForwardContext): boolean {
    this.#deadlines.add(this)
    const unwatch = watchAbort(context, (reason) => { this.#breakOff(new Error('The attempt was stopped', { cause: reason })) })
    if (this.#settled) unwatch()
    else this.#unwatch = unwatch
    return !this.#settled
  }

  timeOver (): void {
    this.#breakOff(new Error(`There was no whole answer within ${this.#limits.timeoutMs} ms`))
  }

  #breakOff (reason: Error): void {
    this.#settle(reason)
    this.#controller?.abort(reason)
  }

  #settle (brokenBy?: unknown): void {
    if (this.#settled) return
    this.#settled = true
    this.#deadlines.remove(this)
    this.#unwatch()
    const statusCode = this.#statusCode
    if (statusCode === undefined) {
      this.#reject(brokenBy)
      return
    }
    const headers = this.#headers
    const start = this.#chunks === undefined ? NOTHING : Buffer.concat(this.#chunks).subarray(0, this.#limits.keepBytes)
    const whole = brokenBy === undefined && start.byteLength === this.#bytes
    this.#resolve({ statusCode, headers, start, whole, ...(brokenBy === undefined ? {} : { brokenBy }) })
  }

  onRequestStart (controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    // A request that waited for its connection until its time was over must not be sent any more.
    if (this.#settled) controller.abort(new Error('The attempt is over'))
  }

  onResponseStart (controller: Dispatcher.DispatchController, statusCode: number, headers: AnswerHeaders): void {
    // What comes before the answer proper, such as 103 Early Hints, decides nothing.
    if (statusCode < 200) return
    this.#statusCode = statusCode
    this.#headers = headers
    if (!WITHOUT_CONTENT.has(statusCode)) return
    this.#settle()
    // The client would go on to wait for the content of a 205, which has none.
    if (statusCode === RESET_CONTENT && headers['content-length'] !== '0') controller.abort(new Error('The answer is whole'))
  }

  onResponseData (controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#bytes < this.#limits.keepBytes) (this.#chunks ??= []).push(chunk)
    this.#bytes += chunk.byteLength
    if (this.#bytes <= this.#limits.bodyLimitBytes) return
    this.#settle()
    controller.abort(new Error('The body is too long'))
  }

  onResponseEnd (): void {
    this.#settle()
  }

  onResponseError (_controller: Dispatcher.DispatchController, error: Error): void {
    this.#settle(error)
  }
}

/** Tells of an abort, also of one that was before. Returns what is to be called when nobody wants to know any more. */
function watchAbort (context: ForwardContext, aborted: (reason: unknown) => void): () => void {
  const { onAbort } = context
  if (onAbort !== undefined) {
    onAbort(aborted)
    return nothing
  }
  const { signal } = context
  const listener = (): void => { aborted(signal.reason) }
  signal.addEventListener('abort', listener)
  if (signal.aborted) listener()
  return () => { signal.removeEventListener('abort', listener) }
}

function nothing (): void {}
