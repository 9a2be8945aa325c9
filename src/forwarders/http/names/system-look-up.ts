import { isIP } from 'node:net'
import { hostname, platform } from 'node:os'
import { askDns } from './ask-dns.js'
import { createAskSystem } from './ask-system.js'
import { type Hosts, parseHosts } from './hosts-file.js'
import type { Address, Found, LookUp } from './look-up.js'
import { readWhenChanged } from './read-when-changed.js'
import { candidatesFor, parseSearchList } from './search-list.js'

export interface SystemLookUpOptions {
  readonly hostsPath?: string
  readonly resolvConfPath?: string
  readonly nsswitchPath?: string
  /** The DNS servers to ask instead of the system's. */
  readonly servers?: readonly string[]
  /** Looks up names that the DNS servers do not know. */
  readonly askSystem?: (name: string) => Promise<Found>
}

const HOSTS_FRESH_MS = 1000
/** Codes for servers that did not answer. They had enough time, so no other source is tried. */
const SILENT: ReadonlySet<string> = new Set(['ETIMEOUT', 'ECANCELLED'])

/**
 * Makes a function that looks names up as the system does: first in the hosts file, then at the DNS servers with the search domains. The C
 * library is asked only if it has other sources and the DNS servers did answer. Otherwise it would ask the same servers again, and hold a
 * thread until they answer. Systems other than Linux keep names in other places, so there the C
 * library counts as having other sources.
 */
export function createSystemLookUp (options: SystemLookUpOptions = {}): LookUp {
  const hosts = readWhenChanged(options.hostsPath ?? '/etc/hosts', parseHosts)
  const searchList = readWhenChanged(options.resolvConfPath ?? '/etc/resolv.conf', (text) => parseSearchList(text, hostname()))
  const otherSources = readWhenChanged(options.nsswitchPath ?? '/etc/nsswitch.conf', hasOtherSources)
  const askSystem = options.askSystem ?? createAskSystem()

  return async (name, signal) => {
    const addresses = knownAddresses(name.replace(/\.$/, '').toLowerCase(), hosts())
    if (addresses.length > 0) return { addresses, freshMs: HOSTS_FRESH_MS }
    let failure: string | undefined
    for (const candidate of candidatesFor(name, searchList())) {
      const answer = await askDns(candidate, signal, options.servers)
      if (answer.status === 'found') return answer.found
      if (answer.status === 'none') continue
      if (SILENT.has(answer.code)) throw new Error(`The DNS servers did not answer for ${name}`)
      // The name may exist in another search domain.
      failure ??= answer.code
    }
    // SERVFAIL usually means that the server's own upstream servers do not answer. The C library would ask the same server.
    if (failure !== 'ESERVFAIL' && (otherSources() || platform() !== 'linux')) return await askSystem(name)
    if (failure !== undefined) throw new Error(`The DNS servers could not tell the address of ${name} (${failure})`)
    throw Object.assign(new Error(`There is no address for ${name} (ENOTFOUND)`), { code: 'ENOTFOUND' })
  }
}

function knownAddresses (name: string, hosts: Hosts): readonly Address[] {
  const listed = (hosts.get(name) ?? []).flatMap((address) => addressIn(address))
  if (listed.length > 0) return listed
  // `localhost` means this machine, without a look-up (RFC 6761, section 6.3).
  return /(?:^|\.)localhost$/.test(name) ? [{ address: '127.0.0.1', family: 4 }, { address: '::1', family: 6 }] : []
}

function addressIn (text: string): readonly Address[] {
  const family = isIP(text)
  return family === 4 || family === 6 ? [{ address: text, family }] : []
}

/** Sources that need no C library: the hosts file, the DNS servers, and the name of this machine. */
const OWN: ReadonlySet<string> = new Set(['files', 'dns', 'myhostname'])

/**
 * Whether a file in the format of `/etc/nsswitch.conf` names other sources of host names, such as mDNS or LDAP. Only the C library can ask those.
 */
export function hasOtherSources (text: string): boolean {
  const line = text.split('\n').map((each) => each.replace(/#.*/, '').trim()).find((each) => each.startsWith('hosts:')) ?? ''
  const sources = line.slice('hosts:'.length).replace(/\[[^\]]*\]/g, ' ').split(/\s+/).filter((source) => source !== '')
  return sources.some((source) => !OWN.has(source))
}
