import { promises, type RecordWithTtl } from 'node:dns'
import type { Address, Found } from './look-up.js'

/** What the DNS servers said of a name. */
export type DnsAnswer =
  | { readonly status: 'found', readonly found: Found }
  /** They have no address for it. */
  | { readonly status: 'none' }
  /** They could not say, or did not answer. */
  | { readonly status: 'failed', readonly code: string }

/** The first wait for an answer, in milliseconds; each further one is twice as long. The C library waits for five seconds. */
const FIRST_WAIT_MS = 1000
const TRIES = 4
/** How long the other family is waited for once one has decided, in milliseconds: some servers never answer for IPv6 (RFC 8305, section 3). */
const OTHER_FAMILY_MS = 250
/** The bounds of how long an answer counts as fresh, in milliseconds, whatever its own time to live. */
const LEAST_FRESH_MS = 1000
const MOST_FRESH_MS = 30_000

/** Codes that say that there is no address: no such name, none of this family, and a name that cannot be. */
const NONE: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME'])

type End = { readonly found: Found } | { readonly code: string }

/**
 * Asks the DNS servers for a whole name. It takes no thread: the C library's look-up would hold one of the few that all look-ups
 * and files share for as long as a server does not answer, and the process could not even end before.
 * @param servers the servers to ask, where they are not those of the system
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

/** Never rejects. */
async function endOf (asked: Promise<RecordWithTtl[]>, family: Address['family']): Promise<End> {
  try {
    const records = await asked
    if (records.length === 0) return { code: 'ENODATA' }
    return { found: { addresses: records.map(({ address }) => ({ address, family })), freshMs: Math.min(...records.map(({ ttl }) => ttl)) * 1000 } }
  } catch (error) {
    return { code: error instanceof Error && 'code' in error ? String(error.code) : 'EUNKNOWN' }
  }
}

/** IPv4 comes first: where a machine has no way to IPv6, that is not always told at once. */
function together (ends: readonly End[]): DnsAnswer {
  const found = ends.flatMap((end) => 'found' in end ? [end.found] : [])
  if (found.length > 0) {
    const freshMs = Math.min(...found.map((each) => each.freshMs))
    return { status: 'found', found: { addresses: found.flatMap(({ addresses }) => addresses), freshMs: Math.min(MOST_FRESH_MS, Math.max(LEAST_FRESH_MS, freshMs)) } }
  }
  const codes = ends.flatMap((end) => 'code' in end && end.code !== 'ECANCELLED' ? [end.code] : [])
  const failed = codes.length === 0 ? 'ECANCELLED' : codes.find((code) => !NONE.has(code))
  return failed === undefined ? { status: 'none' } : { status: 'failed', code: failed }
}
