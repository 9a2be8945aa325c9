import { UsageError } from './command-line.js'

export interface SendTargetOptions {
  /** `undefined` where only the body tells. */
  readonly eventType: string | undefined
  /** Whether the body goes without its envelope: then only the URL tells the event type. */
  readonly raw: boolean
  /** Whether the type is one that the service has a URL for. */
  readonly known: boolean
  /** What the user wrote. */
  readonly url: string | undefined
  /** The service's own URL, without a path. */
  readonly serviceUrl: string
}

/**
 * Where an event is posted. A URL without a path gets the right one.
 * @throws UsageError if it is no http or https URL.
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
