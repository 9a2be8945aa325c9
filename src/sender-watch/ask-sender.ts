import { judgeProject } from './judge-project.js'
import { judgeWebhooks } from './judge-webhooks.js'
import { ManagementApiError, type ManagementApi, type Webhook } from './management-api.js'
import type { OwnUrls } from './own-urls.js'
import type { Finding } from './webhook-status.js'

export interface AskSenderOptions {
  readonly api: ManagementApi
  readonly urls: OwnUrls
  /** The secrets with which webhooks are verified. */
  readonly secrets: readonly string[]
}

/** The results of one round of requests. */
export interface Asked {
  /** From the requests that were answered. */
  readonly findings: readonly Finding[]
  /** Webhooks that point here and should be on, but are off. */
  readonly off: readonly Webhook[]
  /** Requests that failed; empty if all were answered. */
  readonly failures: readonly ManagementApiError[]
}

/**
 * Asks about the webhooks and then about the project. If one request fails, the answer to the other one still counts. The second request is
 * not sent if Voucherify asked for a pause in its answer to the first one.
 */
export async function askSender ({ api, urls, secrets }: AskSenderOptions, signal: AbortSignal): Promise<Asked> {
  const webhooks = await attempt(async () => judgeWebhooks(await api.webhooks(signal), urls))
  const failed = webhooks instanceof ManagementApiError
  const project = failed && webhooks.retryAfterMs !== undefined ? [] : await attempt(async () => judgeProject(await api.project(signal), secrets))
  return {
    findings: [...failed ? [] : webhooks.findings, ...project instanceof ManagementApiError ? [] : project],
    off: failed ? [] : webhooks.off,
    failures: [webhooks, project].filter((each) => each instanceof ManagementApiError)
  }
}

async function attempt<T> (work: () => Promise<T>): Promise<T | ManagementApiError> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof ManagementApiError) return error
    throw error
  }
}
