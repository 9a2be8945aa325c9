import { Pool } from 'undici'
import { reasonOf } from '../delivery/attempt.js'
import type { Attempt, Forwarder, Outcome } from '../delivery/forwarder.js'

export interface HttpForwarderOptions {
  readonly name: string
  readonly url: string
  readonly timeoutMs: number
}

const CONCURRENCY = 16

/** Posts the raw bytes of each delivery to a URL. Any 2xx is success, everything else is tried again. */
export function createHttpForwarder ({ name, url, timeoutMs }: HttpForwarderOptions): Forwarder {
  const { origin, pathname, search } = new URL(url)
  const pool = new Pool(origin, { connections: CONCURRENCY, headersTimeout: timeoutMs, bodyTimeout: timeoutMs, connect: { timeout: timeoutMs } })

  async function post ({ delivery }: Attempt, signal: AbortSignal): Promise<Outcome> {
    try {
      const { statusCode, body } = await pool.request({
        method: 'POST',
        path: `${pathname}${search}`,
        headers: { 'content-type': delivery.headers['content-type'] ?? 'application/json' },
        body: delivery.rawBody,
        signal
      })
      await body.dump()
      const detail = `status ${statusCode}`
      return statusCode >= 200 && statusCode < 300 ? { status: 'forwarded', detail } : { status: 'retry', reason: detail }
    } catch (error) {
      return { status: 'retry', reason: reasonOf(error) }
    }
  }

  return {
    name,
    order: 'customer',
    concurrency: CONCURRENCY,
    batchSize: 1,
    timeoutMs,
    recordsSuccess: true,
    async forward (attempts, { signal }) {
      return { outcomes: await Promise.all(attempts.map(async (attempt) => await post(attempt, signal))) }
    },
    async close () { await pool.destroy() }
  }
}
