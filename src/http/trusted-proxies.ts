import { createSourceFilter } from '../voucherify/source-addresses.js'

/** Names for address ranges that a list may contain, with Fastify's meanings. */
const NAMED: ReadonlyMap<string, readonly string[]> = new Map([
  ['loopback', ['127.0.0.0/8', '::1']],
  ['linklocal', ['169.254.0.0/16', 'fe80::/10']],
  ['uniquelocal', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7']]
])

/**
 * Makes the value of Fastify's `trustProxy`. The list itself would not do, because Fastify would not recognize a proxy if another proxy has
 * written a port beside its address.
 */
export function trustedProxies (list: boolean | readonly string[]): boolean | ((address: string | undefined) => boolean) {
  if (typeof list === 'boolean') return list
  const isListed = createSourceFilter(list.flatMap((item) => NAMED.get(item) ?? [item]))
  // A closed connection has no address any more.
  return (address) => address !== undefined && isListed(address)
}
