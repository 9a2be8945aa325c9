import { domainToASCII } from 'node:url'
import { isInRange, readRange, type AddressRange } from '../../voucherify/address-range.js'

export interface Origin {
  /** As `URL` has it: in lower case, an IPv6 address in brackets. */
  readonly hostname: string
  readonly port: number
}

/** What one entry of the list names. */
type Entry =
  | { readonly kind: 'all' }
  | { readonly kind: 'addresses', readonly range: AddressRange, readonly port: number | undefined }
  | { readonly kind: 'names', readonly name: string, readonly port: number | undefined }

const NAME = /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/
/** A last label of digits makes an IPv4 address of a host, however short (WHATWG URL, section 3.5). */
const NUMERIC = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/

/**
 * Makes the test whether a list such as `NO_PROXY` has an origin in it. Entries are separated by commas and spaces:
 *
 * - `*`: every origin;
 * - `example.com`, `.example.com` or `*.example.com`: the name and all below it, as curl takes it;
 * - `10.1.2.3`, `::1`, `[::1]`: the address, in any spelling; `10.0.0.0/8`, `fd00::/8`: those of the block. Names are not looked up for these.
 *
 * A name or an address may have a port, and then fits no other. Upper case and a dot at the end do not count.
 * @throws {TypeError} that names every entry which is none of these
 */
export function createNoProxy (list: string): (origin: Origin) => boolean {
  const texts = list.split(/[\s,]+/).filter((text) => text !== '')
  const entries = texts.map((text) => ({ text, entry: readEntry(text.toLowerCase()) }))
  const wrong = entries.filter(({ entry }) => entry === undefined).map(({ text }) => JSON.stringify(text))
  if (wrong.length > 0) {
    throw new TypeError(`${wrong.join(', ')} ${wrong.length === 1 ? 'is' : 'are'} none of what it may list: a name such as example.com or .svc, an address, ` +
      'a block of addresses such as 127.0.0.0/8, each but the block with or without a port, or *')
  }
  return ({ hostname, port }) => {
    const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '').toLowerCase()
    return entries.some(({ entry }) => entry !== undefined && fits(entry, host, port))
  }
}

function fits (entry: Entry, host: string, port: number): boolean {
  if (entry.kind === 'all') return true
  if (entry.port !== undefined && entry.port !== port) return false
  return entry.kind === 'addresses' ? isInRange(host, entry.range) : host === entry.name || host.endsWith(`.${entry.name}`)
}

function readEntry (text: string): Entry | undefined {
  if (text === '*') return { kind: 'all' }
  // An IPv6 address has colons of its own, and so has its port only behind brackets.
  const whole = readRange(text)
  if (whole !== undefined) return { kind: 'addresses', range: whole, port: undefined }
  const [, bracketed, bare, digits] = /^(?:\[([^[\]]*)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text) ?? []
  const port = digits === undefined ? undefined : Number(digits)
  if (port !== undefined && (port === 0 || port > 65_535)) return undefined
  const range = readRange(bracketed ?? bare ?? '')
  // A block with a port, and an IPv4 address in brackets, are nobody's notation.
  if (range !== undefined) return isWhole(range) && (bracketed === undefined || bracketed.includes(':')) ? { kind: 'addresses', range, port } : undefined
  const name = nameIn((bare ?? '').replace(/^\*?\./, '').replace(/\.$/, ''))
  return NAME.test(name) && !NUMERIC.test(name) ? { kind: 'names', name, port } : undefined
}

/** A name in letters of any language as DNS has it. What else Node takes for a host, with a path after it say, is no name. */
function nameIn (text: string): string {
  return /^[\p{L}\p{M}\p{N}._-]+$/u.test(text) ? domainToASCII(text) : ''
}

function isWhole ({ base, bits }: AddressRange): boolean {
  return bits === (base.kind() === 'ipv4' ? 32 : 128)
}
