import ipaddr from 'ipaddr.js'

type Address = ipaddr.IPv4 | ipaddr.IPv6

/** A block of addresses, or one alone. */
export interface AddressRange {
  readonly base: Address
  /** How many bits of the base all of them have. */
  readonly bits: number
}

/** An IPv4 or IPv6 address, or a block of either in CIDR form; `undefined` for anything else. */
export function readRange (text: string): AddressRange | undefined {
  if (ipaddr.IPv4.isValidCIDRFourPartDecimal(text)) {
    const [base, bits] = ipaddr.IPv4.parseCIDR(text)
    return { base, bits }
  }
  if (ipaddr.IPv6.isValidCIDR(text)) {
    const [base, bits] = ipaddr.IPv6.parseCIDR(text)
    // The last 32 bits of a mapped range are the IPv4 range; a wider one spans more than IPv4 and stays as it is.
    return base.isIPv4MappedAddress() && bits >= 96 ? { base: base.toIPv4Address(), bits: bits - 96 } : { base, bits }
  }
  const base = readAddress(text)
  return base === undefined ? undefined : { base, bits: base.kind() === 'ipv4' ? 32 : 128 }
}

/** Whether an address is one of a range. What is no address is in none; an IPv4 address written as IPv6 (`::ffff:192.0.2.1`) is the IPv4 address. */
export function isInRange (text: string, { base, bits }: AddressRange): boolean {
  const address = readAddress(text)
  return address !== undefined && address.kind() === base.kind() && address.match(base, bits)
}

// Only the usual form of IPv4: 10.1 and 012.0.0.1 are addresses to some programs, and different ones to others.
function readAddress (text: string): Address | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text)
  return ipaddr.IPv6.isValid(text) ? ipaddr.process(text) : undefined
}

/** The address alone. Some proxies write the port beside it into X-Forwarded-For: `192.0.2.1:51234`, `[2001:db8::1]:51234`. */
export function withoutPort (text: string): string {
  return /^(\d+\.\d+\.\d+\.\d+):\d{1,5}$/.exec(text)?.[1] ?? /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text)?.[1] ?? text
}
