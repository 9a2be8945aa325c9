import { resolve } from 'node:path'
import { isLoopback } from '../config/addresses.js'
import type { Downstream } from '../simulator/downstream.js'
import { downstreamFile } from '../simulator/downstream-file.js'
import { downstreamOperator } from '../simulator/downstream-operator.js'
import { UsageError } from './command-line.js'

/** Whether the user wrote a URL and not a path. */
export function isUrl (place: string): boolean {
  return /^https?:\/\//i.test(place)
}

export interface OpenDownstreamOptions {
  /** The directory of a relative path. */
  readonly directory: string
  /** Token given by the user for this URL. */
  readonly token: string | undefined
  /** Token configured for the service's own listener, and the host of that listener. */
  readonly ownToken: { readonly token: string | undefined, readonly host: string }
}

/**
 * Opens the place where acknowledged events are looked for; `undefined` if the user named none.
 * @throws UsageError if a URL is invalid
 */
export function openDownstream (place: string | undefined, { directory, token, ownToken }: OpenDownstreamOptions): Downstream | undefined {
  if (place === undefined) return undefined
  if (!isUrl(place)) return downstreamFile(resolve(directory, place))
  if (!URL.canParse(place)) throw new UsageError(`${place} is not a URL: write --verify http://127.0.0.1:3001, for example`)
  const url = new URL(place)
  // The configured token opens the operator's listener, so it goes to another host only if the user asks for that.
  const isOwn = isLoopback(hostOf(url)) || hostOf(url) === ownToken.host.toLowerCase()
  return downstreamOperator({
    url,
    token: token ?? (isOwn ? ownToken.token : undefined),
    tokenAdvice: isOwn || ownToken.token === undefined
      ? 'give its token with --verify-token-file, or in ADMIN_TOKEN'
      : 'ADMIN_TOKEN was not sent, because it is only for this machine and ADMIN_HOST. Give the token of this host with --verify-token-file'
  })
}

/** `hostname` has an IPv6 address in brackets. */
function hostOf (url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1')
}
