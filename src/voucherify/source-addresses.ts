import { isInRange, readRange, withoutPort, type AddressRange } from './address-range.js'

/**
 * The addresses that Voucherify publishes for its shared regions, as of August 2026. They changed twice in 2024, and an outdated list refuses
 * real events. Dedicated regions have addresses of their own.
 */
export const regionAddresses: Readonly<Record<'eu1' | 'us1' | 'as1', readonly string[]>> = {
  eu1: ['34.247.197.22', '63.32.191.141', '52.215.148.84'],
  us1: ['100.25.106.67', '18.209.236.215', '34.192.255.99'],
  as1: ['52.76.98.82', '54.169.8.101', '13.214.87.160']
}

/** The base URLs of Voucherify's Management API in the shared regions, without `/management`. Dedicated regions have URLs of their own. */
export const managementUrls: Readonly<Record<'eu1' | 'us1' | 'as1', string>> = {
  eu1: 'https://api.voucherify.io',
  us1: 'https://us1.api.voucherify.io',
  as1: 'https://as1.api.voucherify.io'
}

const regions = new Map<string, readonly string[]>(Object.entries(regionAddresses))

/** Whether the entry is a region's name, an IPv4 or IPv6 address, or a range of either in CIDR form. */
export function isSourceEntry (entry: string): boolean {
  return rangesOf(entry) !== undefined
}

/**
 * Makes a function that tells whether an address is on an allow list. An empty list allows nothing, and an address that cannot be read is not
 * allowed. An IPv4 address written as IPv6 (`::ffff:192.0.2.1`) counts as the IPv4 address. A port is ignored.
 * @throws {TypeError} that names an entry which is neither region, address nor range
 */
export function createSourceFilter (entries: readonly string[]): (address: string) => boolean {
  const allowed = entries.flatMap(entry => {
    const ranges = rangesOf(entry)
    if (ranges === undefined) throw new TypeError(`"${entry}" is no region, IP address or CIDR range`)
    return ranges
  })
  return address => {
    const source = withoutPort(address)
    return allowed.some(range => isInRange(source, range))
  }
}

function rangesOf (entry: string): AddressRange[] | undefined {
  const addresses = regions.get(entry) ?? [entry]
  const ranges = addresses.map(readRange).filter(range => range !== undefined)
  return ranges.length === addresses.length ? ranges : undefined
}
