/** What is asked without the C library: the hosts file, the DNS servers, and what machine this is. */
const OWN: ReadonlySet<string> = new Set(['files', 'dns', 'myhostname'])

/** Whether a file as `/etc/nsswitch.conf` is names other sources of host names, such as mDNS or LDAP, which only the C library can ask. */
export function hasOtherSources (text: string): boolean {
  const line = text.split('\n').map((each) => each.replace(/#.*/, '').trim()).find((each) => each.startsWith('hosts:')) ?? ''
  const sources = line.slice('hosts:'.length).replace(/\[[^\]]*\]/g, ' ').split(/\s+/).filter((source) => source !== '')
  return sources.some((source) => !OWN.has(source))
}
