import ipaddr from 'ipaddr.js'
import { accepted, refused } from './decoded.js'
import type { Decoded } from './decoded.js'

const ranges = new Set(['loopback', 'linklocal', 'uniquelocal'])

function isProxy (item: string): boolean {
  if (ranges.has(item)) return true
  if (item.includes('/')) return ipaddr.IPv4.isValidCIDRFourPartDecimal(item) || ipaddr.IPv6.isValidCIDR(item)
  return ipaddr.IPv4.isValidFourPartDecimal(item) || ipaddr.IPv6.isValid(item)
}

/** Reads what Fastify takes as `trustProxy`: true, false, or a list of addresses, CIDR blocks and range names. */
export function decodeTrustProxy (text: string): Decoded {
  if (text === 'true' || text === 'false') return accepted(text === 'true')
  // Fastify took a number once, and now trusts nobody with it, because it does not tell a proxy from a sender.
  if (/^\d+$/.test(text)) return refused('is a number of hops, which does not tell a proxy from a sender; name the proxies\' addresses instead')
  const items = text.split(',').map(item => item.trim())
  const wrong = items.find(item => !isProxy(item))
  return wrong === undefined
    ? accepted(items)
    : refused(`must be true, false, or a comma-separated list of addresses, CIDR blocks, loopback, linklocal and uniquelocal; ${JSON.stringify(wrong)} is none of these`)
}
