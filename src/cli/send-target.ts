import { UsageError } from './usage-error.js'

export interface SendTargetOptions {
  readonly eventType: string
  /** Whether the body goes without its envelope: then only the URL tells the event type. */
  readonly raw: boolean
  /** What the user wrote. */
  readonly url: string | undefined
  /** The service's own URL, without a path. */
  readonly serviceUrl: string
}

/**
 * Where sample events are posted. A URL without a path gets the right one.
 * @throws UsageError if it is no http or https URL.
 */
export function sendTarget (options: SendTargetOptions): URL {
  const text = options.url ?? options.serviceUrl
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) {
    throw new UsageError(`${text} is not an http:// or https:// URL: write --url http://127.0.0.1:3000, for example`)
  }
  const url = new URL(text)
  if (url.pathname === '/') url.pathname = options.raw ? `/webhooks/${options.eventType}` : '/webhooks'
  return url
}
