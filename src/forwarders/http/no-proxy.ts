import { domainToASCII } from 'node:url'
import { isInRange, readRange, type AddressRange } from '../../voucherify/address-range.js'

export interface Origin {
  /** As `URL` writes it: in lower case, an IPv6 address in brackets. */
  readonly hostname: string
  readonly port: number
}

/** The meaning of one entry of the list. */
type Entry =
  | { readonly kind: 'all' }
  | { readonly kind: 'addresses', readonly range: AddressRange, readonly port: number | undefined }
  | { readonly kind: 'names', readonly name: string, readonly port: number | undefined }

const NAME = /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/
/** A host whose last label is a number is an IPv4 address, however short (WHATWG URL, section 3.5). */
const NUMERIC = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/

/**
 * Makes a function that tells whether a list such as `NO_PROXY` contains an origin. Commas and spaces separate the entries:
 *
 * - `*`: every origin;
 * - `example.com`, `.example.com` or `*.example.com`: the name and all names below it, as curl does;
 * - `10.1.2.3`, `::1`, `[::1]`: the address, in any spelling. Names are not looked up for it;
 * - `10.0.0.0/8`, `fd00::/8`: the addresses of the block. Names are not looked up for it.
 *
 * A name or an address may have a port, and then matches that port only. Case and a dot at the end are ignored.
 * @throws {TypeError} that names every entry of another form
 */
export function createNoProxy (list: string): (origin: Origin) => boolean {
  const texts = list.split(/[\s,]+/).filter((text) => text !== '')
  const entries = texts.map((text) => ({ text, entry: readEntry(text.toLowerCase()) }))
  const wrong = entries.filter(({ entry }) => entry === undefined).map(({ text }) => JSON.stringify(text))
  if (wrong.length > 0) {
    throw new TypeError(`${wrong.join(', ')} ${wrong.length === 1 ? 'is' : 'are'} not allowed: use a name such as example.com or .svc or an address, ` +
      'each with or without a port, a block of addresses such as 127.0.0.0/8, or *')
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
  // Try the whole text first: colons belong to an IPv6 address, whose port can follow only after brackets.
  const whole = readRange(text)
  if (whole !== undefined) return { kind: 'addresses', range: whole, port: undefined }
  const [, bracketed, bare, digits] = /^(?:\[([^[\]]*)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text) ?? []
  const port = digits === undefined ? undefined : Number(digits)
  if (port !== undefined && (port === 0 || port > 65_535)) return undefined
  const range = readRange(bracketed ?? bare ?? '')
  // A block with a port is not a known notation, and neither is an IPv4 address in brackets.
  if (range !== undefined) return isWhole(range) && (bracketed === undefined || bracketed.includes(':')) ? { kind: 'addresses', range, port } : undefined
  const name = nameIn((bare ?? '').replace(/^\*?\./, '').replace(/\.$/, ''))
  return NAME.test(name) && !NUMERIC.test(name) ? { kind: 'names', name, port } : undefined
}

/** Returns a name, in letters of any language, in its DNS form. Other texts that Node accepts, such as a host with a path, give an empty text. */
function nameIn (text: string): string {
  return /^[\p{L}\p{M}\p{N}._-]+$/u.test(text) ? domainToASCII(text) : ''
}

function isWhole ({ base, bits }: AddressRange): boolean {
  return bits === (base.kind() === 'ipv4' ? 32 : 128)
}
