import { Pool } from 'undici'
import { readAnswer, type Answer } from './answer.js'
import type { Clock } from './clock.js'
import type { Webhook } from './webhook.js'

export interface PosterOptions {
  /** Scheme, host and port of every webhook's URL. */
  readonly origin: string
  /** The most connections at once. */
  readonly connections: number
  /** The time limit for an answer, up to its last byte, in milliseconds. */
  readonly limitMs: number
  readonly clock: Clock
}

export interface Poster {
  /** Posts a webhook once. Never rejects: an error is returned as an answer too. */
  readonly post: (webhook: Webhook) => Promise<Answer>
  /** Aborts requests in progress, and closes the connections. */
  readonly close: () => Promise<void>
}

/** How much of an answer is read. */
const answerLimitBytes = 65_536

/** Opens connections to a receiver. They are reused. Redirects are not followed. */
export function openPoster ({ origin, connections, limitMs, clock }: PosterOptions): Poster {
  const pool = new Pool(origin, { connections, headersTimeout: 0, bodyTimeout: 0 })

  async function exchange (webhook: Webhook, signal: AbortSignal): Promise<{ status: number, text: string }> {
    const { statusCode, body } = await pool.request({
      method: 'POST',
      path: `${webhook.url.pathname}${webhook.url.search}`,
      headers: webhook.headers,
      body: webhook.body,
      signal
    })
    const chunks: Buffer[] = []
    let bytes = 0
    for await (const chunk of body) {
      const part: Buffer = chunk
      chunks.push(part)
      bytes += part.byteLength
      // Leaving the loop closes the connection, so that an endless answer is not read.
      if (bytes >= answerLimitBytes) break
    }
    return { status: statusCode, text: Buffer.concat(chunks).toString('utf8') }
  }

  return {
    async post (webhook) {
      const begunAt = clock.monotonic()
      const controller = new AbortController()
      let timedOut = false
      const cancel = clock.after(limitMs, () => {
        timedOut = true
        controller.abort()
      })
      try {
        const { status, text } = await exchange(webhook, controller.signal)
        return readAnswer(status, text, clock.monotonic() - begunAt)
      } catch (error) {
        const durationMs = clock.monotonic() - begunAt
        if (timedOut) return { status: 'timeout', message: `no answer within ${limitMs} ms`, durationMs }
        return { status: failureName(error), message: failureWords(error), durationMs }
      } finally {
        cancel()
      }
    },
    close: async () => { await pool.destroy() }
  }
}

/** Returns the code that Node or undici puts on an error, from the first error in the chain of causes that has one. */
function failureName (error: unknown): string {
  for (let current = error; current instanceof Error; current = current.cause) {
    if ('code' in current && typeof current.code === 'string' && current.code !== '') return current.code
  }
  return 'failed'
}

function failureWords (error: unknown): string {
  return (error instanceof Error ? error.message || failureName(error) : String(error)).slice(0, 200)
}

const unreachable = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL'])

/** Whether no connection could be made. */
export function isUnreachable ({ status }: Pick<Answer, 'status'>): boolean {
  return typeof status === 'string' && unreachable.has(status)
}
