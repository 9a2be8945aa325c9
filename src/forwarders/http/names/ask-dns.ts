import { promises, type RecordWithTtl } from 'node:dns'
import type { Address, Found } from './look-up.js'

/** The answer of the DNS servers for a name. */
export type DnsAnswer =
  | { readonly status: 'found', readonly found: Found }
  /** The name has no address. */
  | { readonly status: 'none' }
  /** The servers failed or did not answer. */
  | { readonly status: 'failed', readonly code: string }

/** The first wait for an answer, in milliseconds. Each further wait is twice as long. The C library waits for five seconds. */
const FIRST_WAIT_MS = 1000
const TRIES = 4
/**
 * How long to wait for the other address family after one has decided, in milliseconds. Some servers never answer for IPv6 (RFC 8305, section 3).
 */
const OTHER_FAMILY_MS = 250
/** The bounds of how long an answer counts as fresh, in milliseconds, whatever its time to live. */
const MIN_FRESH_MS = 1000
const MAX_FRESH_MS = 30_000

/** Codes for a name without an address: no such name, no record of this family, or an impossible name. */
const NONE: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME'])

type End = { readonly found: Found } | { readonly code: string }

/**
 * Asks the DNS servers for a full name, without using a thread. A look-up of the C library would hold one of the few threads that all
 * look-ups and files share until a server answers, and the process could not exit before.
 * @param servers the servers to ask instead of the system's
 */
export async function askDns (name: string, signal: AbortSignal, servers?: readonly string[]): Promise<DnsAnswer> {
  const resolver = new promises.Resolver({ timeout: FIRST_WAIT_MS, tries: TRIES })
  if (servers !== undefined) resolver.setServers(servers)
  const cancel = (): void => { resolver.cancel() }
  signal.addEventListener('abort', cancel)
  let timer: NodeJS.Timeout | undefined
  try {
    const families = [endOf(resolver.resolve4(name, { ttl: true }), 4), endOf(resolver.resolve6(name, { ttl: true }), 6)]
    const first = await Promise.race(families)
    if ('found' in first || first.code === 'ENOTFOUND') timer = setTimeout(cancel, OTHER_FAMILY_MS)
    return together(await Promise.all(families))
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', cancel)
  }
}

/** Resolves to the result for one family. Never rejects. */
async function endOf (asked: Promise<RecordWithTtl[]>, family: Address['family']): Promise<End> {
  try {
    const records = await asked
    if (records.length === 0) return { code: 'ENODATA' }
    return { found: { addresses: records.map(({ address }) => ({ address, family })), freshMs: Math.min(...records.map(({ ttl }) => ttl)) * 1000 } }
  } catch (error) {
    return { code: error instanceof Error && 'code' in error ? String(error.code) : 'EUNKNOWN' }
  }
}

/** Puts IPv4 first, because a connection over IPv6 may hang on a machine without an IPv6 route. */
function together (ends: readonly End[]): DnsAnswer {
  const found = ends.flatMap((end) => 'found' in end ? [end.found] : [])
  if (found.length > 0) {
    const freshMs = Math.min(...found.map((each) => each.freshMs))
    return { status: 'found', found: { addresses: found.flatMap(({ addresses }) => addresses), freshMs: Math.min(MAX_FRESH_MS, Math.max(MIN_FRESH_MS, freshMs)) } }
  }
  const codes = ends.flatMap((end) => 'code' in end && end.code !== 'ECANCELLED' ? [end.code] : [])
  const failed = codes.length === 0 ? 'ECANCELLED' : codes.find((code) => !NONE.has(code))
  return failed === undefined ? { status: 'none' } : { status: 'failed', code: failed }
}
