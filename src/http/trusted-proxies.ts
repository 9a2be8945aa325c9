import { createSourceFilter } from '../voucherify/source-addresses.js'

/** The names that a list may have, as Fastify knows them. */
const NAMED: ReadonlyMap<string, readonly string[]> = new Map([
  ['loopback', ['127.0.0.0/8', '::1']],
  ['linklocal', ['169.254.0.0/16', 'fe80::/10']],
  ['uniquelocal', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7']]
])

/**
 * Whose `X-Forwarded-For` is believed, for Fastify's `trustProxy`. Given the list itself, Fastify would not know a proxy beside whose
 * address another one has written a port.
 */
export function trustedProxies (list: boolean | readonly string[]): boolean | ((address: string | undefined) => boolean) {
  if (typeof list === 'boolean') return list
  const isListed = createSourceFilter(list.flatMap((item) => NAMED.get(item) ?? [item]))
  // A connection that is gone has no address any more.
  return (address) => address !== undefined && isListed(address)
}
