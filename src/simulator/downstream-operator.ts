import { setMaxListeners } from 'node:events'
import { Pool } from 'undici'
import { Type, type Static } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { Acknowledged } from './acknowledged.js'
import { DownstreamError, type Downstream, type LookOptions } from './downstream.js'

export interface DownstreamOperatorOptions {
  /** The operator's listener of the service, such as http://127.0.0.1:3001. */
  readonly url: URL
  readonly token: string | undefined
  /** What to do if the service refuses the token. Added to the error's message. */
  readonly tokenAdvice: string
}

const DeliverySchema = Type.Object({
  state: Type.String(),
  forwarders: Type.Array(Type.Object({ forwarder: Type.String(), status: Type.String() }))
})

const connections = 8
const limitMs = 10_000
const maxReasons = 1000
/** `before-start`: the delivery was accepted before the forwarder's start, so the forwarder never gets it. */
const arrived = new Set(['forwarded', 'before-start'])

/** Asks the service about each delivery. A delivery has arrived when every forwarder has passed it on. */
export function downstreamOperator ({ url, token, tokenAdvice }: DownstreamOperatorOptions): Downstream {
  const pool = new Pool(url.origin, { connections, headersTimeout: limitMs, bodyTimeout: limitMs })
  const base = url.pathname.replace(/\/+$/, '')
  const reasons = new Map<number, string>()

  async function get (path: string, signal?: AbortSignal): Promise<{ status: number, body: unknown }> {
    const { statusCode, body } = await pool.request({
      method: 'GET',
      path: `${base}${path}`,
      headers: { accept: 'application/json', ...token === undefined ? {} : { authorization: `Bearer ${token}` } },
      ...signal === undefined ? {} : { signal }
    })
    if (statusCode === 401 || statusCode === 403) {
      await body.dump()
      throw new DownstreamError(`${url.origin} answered ${statusCode}: ${tokenAdvice}`)
    }
    const text = await body.text()
    return { status: statusCode, body: parse(text) }
  }

  /** Returns why an event has not arrived; `undefined` if it has. */
  async function refusalReason (id: string | undefined, signal: AbortSignal): Promise<string | undefined> {
    if (id === undefined) return 'its answer had no delivery id'
    try {
      const { status, body } = await get(`/api/deliveries/${id}?body=false`, signal)
      if (status === 404) return 'the service does not know it'
      if (status !== 200 || !Value.Check(DeliverySchema, body)) return `the service answered ${status}`
      return notArrived(body)
    } catch (error) {
      if (error instanceof DownstreamError) throw error
      return error instanceof Error ? error.message : String(error)
    }
  }

  return {
    name: url.href,
    async begin () {
      const { status } = await get('/api/status').catch((error: unknown) => {
        if (error instanceof DownstreamError) throw error
        throw new DownstreamError(`${url.origin} cannot be asked: ${error instanceof Error ? error.message : String(error)}`, error)
      })
      if (status !== 200) throw new DownstreamError(`${url.href} answered ${status}: name the operator's listener of a tierhook service, such as http://127.0.0.1:3001`)
    },
    async look (acknowledged: Acknowledged, { signal }: LookOptions) {
      // Each request in progress adds a listener, and so do those that just ended. Node would warn of a leak.
      setMaxListeners(0, signal)
      const missing = acknowledged.ledger.missing()
      const work = async (): Promise<void> => {
        for (const index of missing) {
          if (signal.aborted) return
          const reason = await refusalReason(acknowledged.receiverIdOf(index), signal)
          if (reason === undefined) {
            acknowledged.ledger.found(index)
            reasons.delete(index)
          } else if (reasons.size < maxReasons || reasons.has(index)) {
            reasons.set(index, reason)
          }
        }
      }
      await Promise.all(Array.from({ length: connections }, work))
    },
    explain: index => reasons.get(index),
    close: async () => { await pool.destroy() }
  }
}

function notArrived ({ state, forwarders }: Static<typeof DeliverySchema>): string | undefined {
  if (state === 'quarantined') return 'it is in quarantine'
  const behind = forwarders.filter(({ status }) => !arrived.has(status))
  return behind.length === 0 ? undefined : behind.map(({ forwarder, status }) => `${status} at ${forwarder}`).join(', ')
}

function parse (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Not JSON, so another server answered.
    return undefined
  }
}
