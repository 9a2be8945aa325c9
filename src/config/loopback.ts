import ipaddr from 'ipaddr.js'

/** Whether nobody but this machine can reach a server that listens at `host`. A name other than localhost counts as reachable. */
export function isLoopback (host: string): boolean {
  if (host.toLowerCase() === 'localhost') return true
  // Short and octal IPv4 forms are read in different ways by different resolvers, so they are not trusted to be loopback.
  if (!ipaddr.IPv4.isValidFourPartDecimal(host) && !ipaddr.IPv6.isValid(host)) return false
  return ipaddr.process(host).range() === 'loopback'
}
