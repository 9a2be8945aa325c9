import { Pool } from 'undici'
import { readAnswer, type Answer } from './answer.js'
import type { Clock } from './clock.js'
import type { Webhook } from './webhook.js'

export interface PosterOptions {
  /** Scheme, host and port of every webhook's URL. */
  readonly origin: string
  /** The most connections at once. */
  readonly connections: number
  /** How long an answer may take to its last byte, in milliseconds. */
  readonly limitMs: number
  readonly clock: Clock
}

export interface Poster {
  /** Posts a webhook once. What goes wrong is an answer too; it never rejects. */
  readonly post: (webhook: Webhook) => Promise<Answer>
  /** Gives up what is under way, and closes the connections. */
  readonly close: () => Promise<void>
}

/** No more of an answer than this is read. */
const answerLimitBytes = 65_536

/** Opens the connections to a receiver. They are kept and used again; redirects are not followed. */
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
      // Leaving the loop closes the connection: nobody has to read an answer without end.
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

/** The code that Node or undici puts on an error, of the first cause that has one. */
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

/** Whether nothing could be connected to. */
export function isUnreachable ({ status }: Pick<Answer, 'status'>): boolean {
  return typeof status === 'string' && unreachable.has(status)
}
