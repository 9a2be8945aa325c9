import { spawn, type ChildProcess } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { plainNode, program } from './program.js'

export const PROCESS_SECRET = 'process-test-secret'

export interface ServiceProcess {
  readonly url: string
  readonly child: ChildProcess
  /** Returns the log so far. If it is long, only the end of it. */
  readonly log: () => string
  readonly ended: Promise<number | null>
  readonly kill: (signal: 'SIGKILL' | 'SIGTERM') => Promise<number | null>
}

/** How much output is kept, in characters. A string cannot have more than about 500 million. */
const KEPT_OUTPUT = 50_000_000

/**
 * Starts the built program as in production. Resolves when it listens. Rejects with its output if it ends before.
 * @param onOutput called with all output, as it arrives
 * @param wrapper a command prefix that runs the following command in its own place
 */
export async function startServiceProcess (
  dataDir: string, environment: Readonly<Record<string, string>> = {}, onOutput: (text: string) => void = () => {}, wrapper: readonly string[] = []
): Promise<ServiceProcess> {
  const [command = '', ...args] = [...wrapper, 'env', ...plainNode, program, 'serve']
  const child = spawn(command, args, {
    cwd: dataDir,
    env: {
      PATH: process.env['PATH'], PORT: '0', ADMIN_PORT: '0', DATA_DIR: dataDir, VOUCHERIFY_WEBHOOK_SECRETS: PROCESS_SECRET, FORWARDERS: 'file', LOG_LEVEL: 'info', ...environment
    },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let output = ''
  let listening = false
  const ended = once(child, 'close').then(([code]) => code as number | null)
  const url = await new Promise<string>((resolve, reject) => {
    ended.then((code) => { reject(new Error(`it ended with ${code}: ${output}`)) }, reject)
    const keep = (chunk: Buffer): void => {
      const text = chunk.toString()
      output = output.length > KEPT_OUTPUT ? text : output + text
      onOutput(text)
    }
    child.stderr.on('data', keep)
    child.stdout.on('data', (chunk: Buffer) => {
      keep(chunk)
      if (listening) return
      const at = /"url":"([^"]+)"[^\n]*"msg":"listening"/.exec(output)?.[1]
      if (at === undefined) return
      listening = true
      resolve(at)
    })
  })
  return {
    url,
    child,
    log: () => output,
    ended,
    async kill (signal) {
      child.kill(signal)
      return await ended
    }
  }
}

/** The present time, because an event that happened long ago is quarantined. */
const NOW = `${new Date().toISOString().slice(0, 19)}Z`

/** Returns the body of an event. The same id gives a duplicate, and another id another event. */
export function eventBody (eventId: string): string {
  const customer = { id: `cust_${eventId}`, object: 'customer' }
  return JSON.stringify({
    id: `whs_${eventId}`,
    type: 'tier.upgraded',
    source: { id: 'distr_1', object: 'distribution' },
    event: { id: eventId, type: 'customer.loyalty.tier.upgraded', created_at: NOW },
    data: { customer, campaign: null, loyalty_tier_from: null, loyalty_tier_to: { id: 'ltr_1' }, created_at: '2026-01-31T00:00:00Z' }
  })
}

export interface Answered {
  readonly status: number
  readonly retryAfter: string | undefined
  readonly ms: number
  readonly body: string
}

/** Posts a signed event. Rejects if no answer comes. */
export async function postEvent (url: string, eventId: string, agent = new Agent()): Promise<Answered> {
  return await postBody(url, Buffer.from(eventBody(eventId)), agent)
}

/** Posts a signed body. Rejects if no answer comes. */
export async function postBody (url: string, body: Buffer, agent: Agent): Promise<Answered> {
  const signature = createHmac('sha256', PROCESS_SECRET).update(body).digest('hex')
  const startedAt = performance.now()
  return await new Promise((resolve, reject) => {
    const post = request(new URL('/webhooks', url), {
      agent, method: 'POST', timeout: 120_000, headers: { 'content-type': 'application/json', 'content-length': body.byteLength, 'x-voucherify-signature': signature }
    }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => { chunks.push(chunk) })
      response.on('error', reject)
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'], ms: performance.now() - startedAt, body: Buffer.concat(chunks).toString() })
      })
    })
    post.on('error', reject)
    post.on('timeout', () => { post.destroy(new Error('no answer')) })
    post.end(body)
  })
}

/** Returns whether webhooks would be accepted and, if not, why. */
export async function readiness (service: ServiceProcess): Promise<{ readonly status: number, readonly text: string }> {
  const response = await fetch(new URL('/health/ready', service.url))
  return { status: response.status, text: await response.text() }
}
