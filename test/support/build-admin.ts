import type { Test } from 'tap'
import { Agent, request } from 'undici'
import { createAdminApp, type AdminAppOptions } from '../../src/admin-api/admin-app.js'
import { createLiveFeed, type LiveFeed, type LiveFeedOptions } from '../../src/admin-api/live-feed.js'
import { openOperator } from '../../src/composition/open-store.js'
import { captureLog, type CapturedLog } from './capture-log.js'

export interface AdminAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  /** The answer's JSON. */
  readonly body: Readonly<Record<string, unknown>>
}

export interface AdminRequest {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

export interface BuiltAdmin {
  readonly url: string
  readonly port: number
  readonly log: CapturedLog
  readonly liveFeed: LiveFeed
  readonly get: (path: string, options?: AdminRequest) => Promise<AdminAnswer>
  /** Posts JSON; `{}` if there is no body. */
  readonly post: (path: string, options?: AdminRequest) => Promise<AdminAnswer>
  readonly send: (method: string, path: string, options?: AdminRequest) => Promise<AdminAnswer>
  readonly close: () => Promise<void>
}

export interface BuildAdminOptions extends Partial<AdminAppOptions> {
  readonly dataDir?: string
  readonly feed?: Partial<LiveFeedOptions>
  /** The only token. Its name is `admin`. */
  readonly token?: string
}

/** Starts only the operator's listener, on a free port. It reads the store of a data folder in this thread. */
export async function buildAdmin (t: Test, { dataDir, feed, token, ...options }: BuildAdminOptions = {}): Promise<BuiltAdmin> {
  const log = captureLog()
  const operator = options.operator ?? openOperator({ dataDir: dataDir ?? t.testdir() })
  const liveFeed = createLiveFeed({ logger: log.logger, lastSequence: operator.lastSequence, monotonic: () => performance.now(), ...feed })
  const app = createAdminApp({
    logger: log.logger,
    host: '127.0.0.1',
    tokens: token === undefined ? [] : [{ name: 'admin', role: 'operate', token }],
    operator,
    liveFeed,
    status: async () => ({ version: '1.2.3', startedAt: new Date(0).toISOString(), ready: true, reasons: [], lastSequence: 0, storeBytes: null, diskFreeBytes: null, needs: [], counts: { backlog: 0, deadLetters: 0, quarantined: 0 } }),
    forwarders: () => [],
    lastOutcome: () => undefined,
    onChange: liveFeed.changed,
    describe: async () => ({ openapi: '3.1.0' }),
    ...options
  })
  const agent = new Agent()
  t.teardown(async () => {
    await agent.destroy()
    await app.close()
    await operator.close()
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })

  async function send (method: string, path: string, { headers = {}, body }: AdminRequest = {}): Promise<AdminAnswer> {
    const response = await request(`${url}${path}`, { dispatcher: agent, method: method as 'GET', headers, ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }) })
    const text = await response.body.text()
    const json = String(response.headers['content-type']).includes('json') && text !== ''
    return { status: response.statusCode, headers: response.headers, text, body: json ? JSON.parse(text) : {} }
  }

  return {
    url,
    port: Number(new URL(url).port),
    log,
    liveFeed,
    send,
    get: async (path, asked) => await send('GET', path, asked),
    post: async (path, { headers, body = {} } = {}) => await send('POST', path, { headers: { 'content-type': 'application/json', ...headers }, body }),
    close: app.close
  }
}
