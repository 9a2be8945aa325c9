import { Pool } from 'undici'
import type { Answer } from './answer.js'
import { readAnswer } from './answer.js'
import { errorCode } from './error-code.js'

/** One webhook, ready to be sent. */
export interface Webhook {
  readonly body: Uint8Array
  readonly headers: Readonly<Record<string, string>>
}

export interface PostWebhooksOptions {
  readonly url: URL
  readonly count: number
  /** The most requests at once. */
  readonly concurrency: number
  readonly timeoutMs: number
  /** Makes the webhook of an index, from 0. */
  readonly makeWebhook: (index: number) => Webhook
  readonly onAnswer: (answer: Answer) => void
}

/** Nothing listens at the URL, so there is no use in sending the rest. */
export class UnreachableError extends Error {
  readonly code = 'UNREACHABLE'

  constructor (url: URL, cause: unknown) {
    super(`nothing listens at ${url.origin}`, { cause })
    this.name = 'UnreachableError'
  }
}

const unreachable = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL'])

/**
 * Posts webhooks as Voucherify does, over at most `concurrency` connections, and reports each answer. A request that fails
 * on its way counts as an answer with the name of what happened.
 * @throws UnreachableError as soon as a connection is refused.
 */
export async function postWebhooks (options: PostWebhooksOptions): Promise<void> {
  const { url, timeoutMs } = options
  const pool = new Pool(url.origin, { connections: options.concurrency })
  let next = 0
  let failed = false

  async function post (webhook: Webhook): Promise<Answer> {
    const begun = performance.now()
    const elapsedMs = (): number => performance.now() - begun
    try {
      const response = await pool.request({
        method: 'POST',
        path: `${url.pathname}${url.search}`,
        headers: { 'content-type': 'application/json', ...webhook.headers },
        body: webhook.body,
        signal: AbortSignal.timeout(timeoutMs)
      })
      const text = await response.body.text()
      return readAnswer(response.statusCode, text, elapsedMs())
    } catch (error) {
      const code = errorCode(error)
      if (unreachable.has(code)) throw new UnreachableError(url, error)
      if (error instanceof Error && error.name === 'TimeoutError') {
        return { status: 'timeout', message: `no answer within ${timeoutMs} ms`, durationMs: elapsedMs() }
      }
      return { status: code === '' ? 'failed' : code, message: error instanceof Error ? error.message : String(error), durationMs: elapsedMs() }
    }
  }

  async function work (): Promise<void> {
    while (next < options.count && !failed) {
      const webhook = options.makeWebhook(next)
      next += 1
      try {
        options.onAnswer(await post(webhook))
      } catch (error) {
        failed = true
        throw error
      }
    }
  }

  try {
    await Promise.all(Array.from({ length: Math.min(options.concurrency, options.count) }, work))
  } finally {
    await pool.destroy()
  }
}
