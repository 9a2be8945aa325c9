import ipaddr from 'ipaddr.js'

type Address = ipaddr.IPv4 | ipaddr.IPv6

/** A block of addresses, or a single address. */
export interface AddressRange {
  readonly base: Address
  /** The number of leading bits that all addresses of the range share with the base. */
  readonly bits: number
}

/** Reads an IPv4 or IPv6 address, or a block of either in CIDR form; `undefined` for any other text. */
export function readRange (text: string): AddressRange | undefined {
  if (ipaddr.IPv4.isValidCIDRFourPartDecimal(text)) {
    const [base, bits] = ipaddr.IPv4.parseCIDR(text)
    return { base, bits }
  }
  if (ipaddr.IPv6.isValidCIDR(text)) {
    const [base, bits] = ipaddr.IPv6.parseCIDR(text)
    // The last 32 bits of an IPv4-mapped range are the IPv4 range. A wider range contains more than IPv4, and stays as it is.
    return base.isIPv4MappedAddress() && bits >= 96 ? { base: base.toIPv4Address(), bits: bits - 96 } : { base, bits }
  }
  const base = readAddress(text)
  return base === undefined ? undefined : { base, bits: base.kind() === 'ipv4' ? 32 : 128 }
}

/** Whether an address is in a range. Any other text is in none. An IPv4 address written as IPv6 (`::ffff:192.0.2.1`) counts as the IPv4 address. */
export function isInRange (text: string, { base, bits }: AddressRange): boolean {
  const address = readAddress(text)
  return address !== undefined && address.kind() === base.kind() && address.match(base, bits)
}

// Accepts only the usual form of IPv4. Programs disagree about which addresses 10.1 and 012.0.0.1 are, if any.
function readAddress (text: string): Address | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text)
  return ipaddr.IPv6.isValid(text) ? ipaddr.process(text) : undefined
}

/** Returns the address without a port. Some proxies write a port into X-Forwarded-For: `192.0.2.1:51234`, `[2001:db8::1]:51234`. */
export function withoutPort (text: string): string {
  return /^(\d+\.\d+\.\d+\.\d+):\d{1,5}$/.exec(text)?.[1] ?? /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text)?.[1] ?? text
}
