import { UsageError } from './command-line.js'

export interface SendTargetOptions {
  /** `undefined` if only the body names the event type. */
  readonly eventType: string | undefined
  /** Whether the body is sent without its envelope. Then only the URL names the event type. */
  readonly raw: boolean
  /** Whether the service has a URL for this event type. */
  readonly known: boolean
  /** URL given by the user. */
  readonly url: string | undefined
  /** URL of the configured service, without a path. */
  readonly serviceUrl: string
}

/**
 * Returns the URL to post an event to. A URL without a path gets the matching path.
 * @throws UsageError if the URL is not http or https
 */
export function sendTarget ({ eventType, raw, known, url: given, serviceUrl }: SendTargetOptions): URL {
  const text = given ?? serviceUrl
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) {
    throw new UsageError(`${text} is not an http:// or https:// URL: write --url http://127.0.0.1:3000, for example`)
  }
  const url = new URL(text)
  if (url.pathname !== '/') return url
  url.pathname = !raw || eventType === undefined ? '/webhooks' : known ? `/webhooks/${eventType}` : `/webhooks/custom/${eventType}`
  return url
}
