import { request, type Dispatcher } from 'undici'
import { sign } from '../../src/voucherify/signature.js'

export interface WebhookOptions {
  readonly method?: Dispatcher.HttpMethod
  readonly headers?: Readonly<Record<string, string>>
  /** Signs with this secret instead of the service's first one; `null`: does not sign. */
  readonly secret?: string | null
}

export interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  /** The answer's JSON. */
  readonly body: Readonly<Record<string, unknown>>
}

export interface WebhookClient {
  /** Posts a body as JSON. Values are serialized, texts and bytes are sent unchanged. */
  readonly post: (path: string, body: unknown, options?: WebhookOptions) => Promise<Answered>
  readonly get: (path: string) => Promise<Answered>
}

export function bytesOf (body: unknown): Buffer {
  if (body instanceof Uint8Array) return Buffer.from(body)
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
}

/** Makes a client of the service at a URL. It signs like the sender. */
export function webhookClient (url: string, dispatcher: Dispatcher, firstSecret: string | undefined): WebhookClient {
  async function send (path: string, options: Partial<Dispatcher.RequestOptions>): Promise<Answered> {
    const response = await request(`${url}${path}`, { dispatcher, ...options })
    const text = await response.body.text()
    return { status: response.statusCode, headers: response.headers, text, body: text === '' ? {} : JSON.parse(text) }
  }

  return {
    async post (path, body, { method = 'POST', headers = {}, secret = firstSecret ?? null } = {}) {
      const rawBody = bytesOf(body)
      const signature = secret === null ? {} : { 'x-voucherify-signature': sign(rawBody, secret) }
      return await send(path, { method, headers: { 'content-type': 'application/json', ...signature, ...headers }, body: rawBody })
    },
    get: async (path) => await send(path, { method: 'GET' })
  }
}
