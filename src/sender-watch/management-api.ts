import { Type, type Static, type TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { parseBody } from '../voucherify/parse-body.js'

/** One request to the API. */
export interface AskedFor {
  readonly method: 'GET' | 'PUT'
  /** The path, relative to the base URL of the API. */
  readonly path: string
  /** JSON. */
  readonly body?: string
}

/** A complete answer. */
export interface Answered {
  readonly status: number
  readonly body: Uint8Array
  /** How long the server asks us to wait, in milliseconds. */
  readonly retryAfterMs?: number | undefined
}

/**
 * Sends a request with our credentials and reads the whole answer, within a time limit.
 * @throws {Error} if no whole answer came; the message gives the reason in words, without a secret
 */
export type Ask = (request: AskedFor, signal: AbortSignal) => Promise<Answered>

/** A webhook of the project settings. Only the properties that are used here. */
const WebhookSchema = Type.Object({ id: Type.String(), target_url: Type.String(), events: Type.Optional(Type.Unknown()), active: Type.Optional(Type.Unknown()) })
const WebhookListSchema = Type.Object({ data: Type.Array(Type.Unknown()), total: Type.Optional(Type.Unknown()) })
const ProjectSchema = Type.Object({ webhook_token: Type.Optional(Type.Unknown()), webhook_version: Type.Optional(Type.Unknown()) })

export interface Webhook {
  readonly id: string
  readonly targetUrl: string
  /** `undefined` if the answer has no list of texts. */
  readonly events: readonly string[] | undefined
  /** `undefined` if the answer does not say. */
  readonly active: boolean | undefined
}

export interface WebhookList {
  readonly webhooks: readonly Webhook[]
  /** Whether the list is complete: every entry could be read, and there are as many as the answer's total says. */
  readonly complete: boolean
}

export interface Project {
  /** Presumably the secret that webhooks are signed with. */
  readonly webhookToken: string | undefined
  readonly webhookVersion: string | undefined
}

/** A request failed. The message gives the reason in words. */
export class ManagementApiError extends Error {
  override readonly name = 'ManagementApiError'
  readonly retryAfterMs: number | undefined

  constructor (message: string, { retryAfterMs, cause }: { readonly retryAfterMs?: number | undefined, readonly cause?: unknown } = {}) {
    super(message, { cause })
    this.retryAfterMs = retryAfterMs
  }
}

/** The part of Voucherify's Management API that is used here. Each method throws a `ManagementApiError` if it fails. */
export interface ManagementApi {
  readonly webhooks: (signal: AbortSignal) => Promise<WebhookList>
  readonly project: (signal: AbortSignal) => Promise<Project>
  /** Switches on a webhook whose id is known. Pass its URL and events unchanged, because the request replaces the present ones. */
  readonly switchOn: (webhook: Webhook & { readonly events: readonly string[] }, signal: AbortSignal) => Promise<void>
}

/** Whether a webhook's id can be put into a path without encoding. */
export function hasKnownId ({ id }: Webhook): boolean {
  return /^[A-Za-z0-9_-]{1,128}$/.test(id)
}

export function createManagementApi (ask: Ask, projectId: string): ManagementApi {
  const projectPath = `/management/v1/projects/${projectId}`

  async function asked (request: AskedFor, signal: AbortSignal): Promise<Answered> {
    let answered: Answered
    try {
      answered = await ask(request, signal)
    } catch (error) {
      throw new ManagementApiError(error instanceof Error ? error.message : String(error), { cause: error })
    }
    if (answered.status >= 200 && answered.status < 300) return answered
    throw new ManagementApiError(refusalText(answered.status), { retryAfterMs: answered.retryAfterMs })
  }

  async function read<T extends TSchema> (path: string, schema: T, signal: AbortSignal): Promise<Static<T>> {
    const { status, body } = await asked({ method: 'GET', path }, signal)
    const parsed = parseBody(body)
    if (parsed.ok && Value.Check(schema, parsed.value)) return parsed.value
    throw new ManagementApiError(`Voucherify answered ${status} with something other than what it documents. Is the address that of its Management API?`)
  }

  return {
    async webhooks (signal) {
      const { data, total } = await read(`${projectPath}/webhooks`, WebhookListSchema, signal)
      const readable = data.filter((each) => Value.Check(WebhookSchema, each))
      return { webhooks: readable.map(webhookOf), complete: readable.length === data.length && (typeof total !== 'number' || total <= data.length) }
    },

    async project (signal) {
      const { webhook_token: token, webhook_version: version } = await read(projectPath, ProjectSchema, signal)
      return { webhookToken: textOf(token), webhookVersion: textOf(version) }
    },

    async switchOn ({ id, targetUrl, events }, signal) {
      await asked({ method: 'PUT', path: `${projectPath}/webhooks/${id}`, body: JSON.stringify({ target_url: targetUrl, events, active: true }) }, signal)
    }
  }
}

function webhookOf ({ id, target_url: targetUrl, events, active }: Static<typeof WebhookSchema>): Webhook {
  const isList = Array.isArray(events) && events.every((event): event is string => typeof event === 'string')
  return { id, targetUrl, events: isList ? events : undefined, active: typeof active === 'boolean' ? active : undefined }
}

function textOf (value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Voucherify does not document when it refuses a request, so the texts go by the general meaning of each status. */
function refusalText (status: number): string {
  switch (status) {
    case 401:
    case 403:
      return `Voucherify answered ${status}. Check VOUCHERIFY_MANAGEMENT_ID and VOUCHERIFY_MANAGEMENT_TOKEN. The Management API is part of its Enterprise plan alone.`
    case 404:
      return 'Voucherify answered 404. Check VOUCHERIFY_PROJECT_ID, and VOUCHERIFY_REGION or VOUCHERIFY_MANAGEMENT_URL.'
    default:
      return status >= 300 && status < 400 ? `Voucherify answered ${status}. Redirects are not followed: check VOUCHERIFY_MANAGEMENT_URL.` : `Voucherify answered ${status}.`
  }
}
