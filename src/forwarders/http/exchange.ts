import type { Dispatcher } from 'undici'
import { createDeadlines, type Deadlines, type Timed } from '../../delivery/deadlines.js'
import type { ForwardContext } from '../../delivery/forwarder.js'

export type AnswerHeaders = Readonly<Record<string, string | string[] | undefined>>

export interface Answer {
  readonly statusCode: number
  readonly headers: AnswerHeaders
  /** The first bytes of the body. */
  readonly start: Uint8Array
  /** Whether `start` is the complete body. */
  readonly whole: boolean
  /** The error that broke the answer off; absent if the answer ended, or if it was dropped for its size. */
  readonly brokenBy?: unknown
}

export interface ExchangeLimits {
  /** The time limit for everything, from waiting for a connection to the end of the body, in milliseconds. */
  readonly timeoutMs: number
  /** The largest body that is read. A longer one is dropped together with its connection. */
  readonly bodyLimitBytes: number
  /** How much of the body is kept. */
  readonly keepBytes: number
}

const NOTHING = new Uint8Array(0)
const RESET_CONTENT = 205
/** Statuses whose answers end with their head, whatever their length header says (RFC 9112, section 6.3; for 205: RFC 9110, section 15.3.6). */
const WITHOUT_CONTENT: ReadonlySet<number> = new Set([204, RESET_CONTENT, 304])

/**
 * Sends one request and reads its answer. When the promise settles, or soon after, the request holds no connection and no memory any more,
 * whatever the destination does.
 * @throws the error that kept the head of an answer from arriving
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

  /** Returns whether to send the request. The attempt may already have been stopped. */
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
    // A request whose time ran out while it waited for a connection must not be sent.
    if (this.#settled) controller.abort(new Error('The attempt is over'))
  }

  onResponseStart (controller: Dispatcher.DispatchController, statusCode: number, headers: AnswerHeaders): void {
    // Interim answers, such as 103 Early Hints, decide nothing.
    if (statusCode < 200) return
    this.#statusCode = statusCode
    this.#headers = headers
    if (!WITHOUT_CONTENT.has(statusCode)) return
    this.#settle()
    // The client would wait for the content of a 205, which has none.
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

/** Calls `aborted` when the attempt is aborted, or at once if it already is. Returns a function that removes the listener. */
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
