import ipaddr from 'ipaddr.js'
import { isSourceEntry } from '../voucherify/source-addresses.js'
import { accepted, type Decoded, refused } from './decoded.js'

/** Reads the address or host name that a server listens on. */
export function decodeHost (text: string): Decoded {
  const isHost = ipaddr.IPv6.isValid(text) || /^[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?$/i.test(text)
  return isHost ? accepted(text) : refused('must be an address or a host name alone, without scheme, port or brackets')
}

/** Reads a comma-separated list of regions, addresses and CIDR blocks that webhooks come from. */
export function decodeSources (text: string): Decoded {
  const items = text.split(',').map(item => item.trim())
  const wrong = items.find(item => !isSourceEntry(item))
  return wrong === undefined
    ? accepted(items)
    : refused(`must be a comma-separated list of eu1, us1, as1, addresses and CIDR blocks; ${JSON.stringify(wrong)} is not one of these`)
}

const ranges = new Set(['loopback', 'linklocal', 'uniquelocal'])

function isProxy (item: string): boolean {
  if (ranges.has(item)) return true
  if (item.includes('/')) return ipaddr.IPv4.isValidCIDRFourPartDecimal(item) || ipaddr.IPv6.isValidCIDR(item)
  return ipaddr.IPv4.isValidFourPartDecimal(item) || ipaddr.IPv6.isValid(item)
}

/** Reads a value for Fastify's `trustProxy`: true, false, or a list of addresses, CIDR blocks and range names. */
export function decodeTrustProxy (text: string): Decoded {
  if (text === 'true' || text === 'false') return accepted(text === 'true')
  // Fastify once accepted a number of hops. It now trusts no proxy then, because a number does not tell a proxy from a sender.
  if (/^\d+$/.test(text)) return refused('is a number of hops, by which tierhook cannot tell a proxy from a sender; name the proxies\' addresses instead')
  const items = text.split(',').map(item => item.trim())
  const wrong = items.find(item => !isProxy(item))
  return wrong === undefined
    ? accepted(items)
    : refused(`must be true, false, or a comma-separated list of addresses, CIDR blocks, loopback, linklocal and uniquelocal; ${JSON.stringify(wrong)} is not one of these`)
}

/** Whether only this machine can reach a server that listens on `host`. Every name except localhost counts as reachable by others. */
export function isLoopback (host: string): boolean {
  if (host.toLowerCase() === 'localhost') return true
  // Resolvers read short and octal IPv4 forms differently, so these are not accepted as loopback.
  if (!ipaddr.IPv4.isValidFourPartDecimal(host) && !ipaddr.IPv6.isValid(host)) return false
  return ipaddr.process(host).range() === 'loopback'
}

/**
 * Returns the URL at which a client on this machine reaches a service that listens on `host`. Not every system can connect to an address that
 * stands for all addresses, so the loopback address replaces it.
 */
export function serviceUrl (host: string, port: number): string {
  if (host === '0.0.0.0') return `http://127.0.0.1:${port}`
  if (host === '::') return `http://[::1]:${port}`
  return host.includes(':') ? `http://[${host}]:${port}` : `http://${host}:${port}`
}
