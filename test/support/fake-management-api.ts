import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { listen, type Teardown } from '../forwarders/http/support/servers.js'

export interface FakeWebhook {
  readonly id: string
  object: 'webhook'
  created_at: string
  target_url: string
  events: string[]
  active: boolean
}

export interface FakeRequest {
  readonly method: string
  readonly path: string
  readonly body: unknown
}

/** How the fake answers: as documented, or with one of the failures of a service. */
export type FakeMood = 'well' | 'refusing' | 'failing' | 'busy' | 'redirecting' | 'hanging' | 'garbage' | 'endless' | 'resetting'

export interface FakeManagementApi {
  readonly url: string
  readonly requests: readonly FakeRequest[]
  readonly webhooks: FakeWebhook[]
  readonly project: Record<string, unknown>
  mood: FakeMood
  /** Whether a PUT is answered 200 but changes nothing. */
  deaf: boolean
}

export const MANAGEMENT_ID = 'management-id-of-the-tests'
export const MANAGEMENT_TOKEN = 'management-token-of-the-tests'
export const PROJECT_ID = 'proj_of_the_tests'
export const PUBLIC_URL = 'https://hooks.example.com'

/** The events that a webhook of the project settings may have ticked. */
export const TIER_EVENTS = ['campaign.loyalty_tier.created', 'campaign.loyalty_tier.updated', 'campaign.loyalty_tier.deleted']

/** Returns the environment variables of a service that asks this fake. */
export function asking ({ url }: Pick<FakeManagementApi, 'url'>): Readonly<Record<string, string>> {
  return {
    VOUCHERIFY_MANAGEMENT_ID: MANAGEMENT_ID,
    VOUCHERIFY_MANAGEMENT_TOKEN: MANAGEMENT_TOKEN,
    VOUCHERIFY_PROJECT_ID: PROJECT_ID,
    VOUCHERIFY_MANAGEMENT_URL: url,
    PUBLIC_URL
  }
}

/** Makes a webhook that is on and points here. */
export function fakeWebhook (id = 'wh_1', changes: Partial<FakeWebhook> = {}): FakeWebhook {
  return { id, object: 'webhook', created_at: '2026-01-31T08:00:00Z', target_url: `${PUBLIC_URL}/webhooks`, events: [...TIER_EVENTS], active: true, ...changes }
}

/**
 * A fake of Voucherify's Management API. It was written from the documented shapes of the three requests that tierhook makes, and has never been
 * compared with Voucherify. The documentation does not say with which statuses the real API refuses requests.
 */
export async function fakeManagementApi (t: Teardown, { webhooks = [fakeWebhook()], secret = 'the-secret-of-the-tests' }: { readonly webhooks?: FakeWebhook[], readonly secret?: string } = {}): Promise<FakeManagementApi> {
  const requests: FakeRequest[] = []
  const server = createServer((request, response) => {
    readBody(request, (text) => {
      requests.push({ method: request.method ?? '', path: request.url ?? '', body: text === '' ? undefined : JSON.parse(text) })
      answer(request, text, response)
    })
  })
  const { port } = await listen(t, server)
  const fake: FakeManagementApi = {
    url: `http://127.0.0.1:${port}`,
    requests,
    webhooks,
    project: { id: PROJECT_ID, object: 'project', webhook_token: secret, webhook_version: 'v2024-01-01' },
    mood: 'well',
    deaf: false
  }

  function answer (request: IncomingMessage, text: string, response: ServerResponse): void {
    const isKnown = request.headers['x-management-id'] === MANAGEMENT_ID && request.headers['x-management-token'] === MANAGEMENT_TOKEN
    const repeated = JSON.stringify({ message: `no ${String(request.headers['x-management-token'])}` })
    switch (fake.mood) {
      case 'hanging': return
      case 'resetting': response.socket?.resetAndDestroy(); return
      case 'refusing': response.writeHead(401).end(repeated); return
      case 'failing': response.writeHead(500).end(repeated); return
      case 'busy': response.writeHead(429, { 'retry-after': '1200' }).end(repeated); return
      case 'redirecting': response.writeHead(302, { location: `${fake.url}/elsewhere` }).end(); return
      case 'garbage': response.end('<html>not today</html>'); return
      case 'endless': stream(response); return
      case 'well': if (isKnown) answerWell(request, text, response); else response.writeHead(401).end(repeated)
    }
  }

  function answerWell ({ method, url }: IncomingMessage, text: string, response: ServerResponse): void {
    const base = `/management/v1/projects/${PROJECT_ID}`
    if (method === 'GET' && url === base) {
      response.end(JSON.stringify(fake.project))
      return
    }
    if (method === 'GET' && url === `${base}/webhooks`) {
      response.end(JSON.stringify({ object: 'list', data_ref: 'data', data: webhooks, total: webhooks.length }))
      return
    }
    const webhook = method === 'PUT' ? webhooks.find(({ id }) => url === `${base}/webhooks/${id}`) : undefined
    if (webhook === undefined) {
      response.writeHead(404).end()
      return
    }
    const { target_url: targetUrl, events, active } = JSON.parse(text) as Partial<FakeWebhook>
    if (targetUrl === undefined || events === undefined) {
      response.writeHead(400).end()
      return
    }
    if (!fake.deaf) Object.assign(webhook, { target_url: targetUrl, events, active: active ?? webhook.active })
    response.end(JSON.stringify(webhook))
  }

  return fake
}

function readBody (request: IncomingMessage, done: (text: string) => void): void {
  let text = ''
  request.on('data', (chunk: Buffer) => { text += chunk.toString() })
  // The client went away.
  request.on('error', () => {})
  request.on('end', () => { done(text) })
}

/** Sends until the client closes the connection. */
function stream (response: ServerResponse): void {
  const chunk = Buffer.alloc(65_536, ' ')
  const send = (): void => {
    while (!response.destroyed && response.write(chunk));
    if (!response.destroyed) response.once('drain', send)
  }
  send()
}
