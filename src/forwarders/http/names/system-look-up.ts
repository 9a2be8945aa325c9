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
  /** The DNS servers, where they are not those of the system. */
  readonly servers?: readonly string[]
  /** Asks for what the DNS servers do not know. */
  readonly askSystem?: (name: string) => Promise<Found>
}

const HOSTS_FRESH_MS = 1000
/** The servers were asked for long enough. */
const SILENT: ReadonlySet<string> = new Set(['ETIMEOUT', 'ECANCELLED'])

/**
 * Makes the look-up of names as the system has them: first its hosts file, then its DNS servers with its search domains. The C
 * library is asked only where it has other sources too, and the servers have answered: it would ask the same ones again, and
 * hold a thread until they answer. Systems other than Linux keep their names elsewhere, and so it is always asked there.
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
      // The name may yet be in another of the domains.
      failure ??= answer.code
    }
    // Most servers tell in this way that those whom they ask do not answer.
    if (failure !== 'ESERVFAIL' && (otherSources() || platform() !== 'linux')) return await askSystem(name)
    if (failure !== undefined) throw new Error(`The DNS servers could not tell the address of ${name} (${failure})`)
    throw Object.assign(new Error(`There is no address for ${name} (ENOTFOUND)`), { code: 'ENOTFOUND' })
  }
}

function knownAddresses (name: string, hosts: Hosts): readonly Address[] {
  const listed = (hosts.get(name) ?? []).flatMap((address) => addressIn(address))
  if (listed.length > 0) return listed
  // It is this machine without being asked for (RFC 6761, section 6.3).
  return /(?:^|\.)localhost$/.test(name) ? [{ address: '127.0.0.1', family: 4 }, { address: '::1', family: 6 }] : []
}

function addressIn (text: string): readonly Address[] {
  const family = isIP(text)
  return family === 4 || family === 6 ? [{ address: text, family }] : []
}

/** What is asked without the C library: the hosts file, the DNS servers, and what machine this is. */
const OWN: ReadonlySet<string> = new Set(['files', 'dns', 'myhostname'])

/** Whether a file as `/etc/nsswitch.conf` is names other sources of host names, such as mDNS or LDAP, which only the C library can ask. */
export function hasOtherSources (text: string): boolean {
  const line = text.split('\n').map((each) => each.replace(/#.*/, '').trim()).find((each) => each.startsWith('hosts:')) ?? ''
  const sources = line.slice('hosts:'.length).replace(/\[[^\]]*\]/g, ' ').split(/\s+/).filter((source) => source !== '')
  return sources.some((source) => !OWN.has(source))
}
