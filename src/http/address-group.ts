import { isIPv6 } from 'node:net'
import { withoutPort } from '../voucherify/address-range.js'

/**
 * Returns the group of an address, for counts and limits by address. An IPv4 address is its own group. IPv6 addresses are grouped by their first
 * 64 bits, because one machine can use all addresses with these bits. `unknown` if there is no address any more.
 */
export function addressGroup (text: string | undefined): string {
  if (text === undefined) return 'unknown'
  const address = withoutPort(text)
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  if (!isIPv6(address)) return address
  const [head = '', tail] = address.toLowerCase().split('%', 1)[0]?.split('::') ?? []
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const left = Math.max(0, 8 - before.length - after.length)
  const groups = [...before, ...Array.from({ length: left }, () => '0'), ...after].slice(0, 4)
  return `${groups.map((group) => group.replace(/^0+(?=.)/, '')).join(':')}::/64`
}
