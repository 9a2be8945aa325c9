/** The addresses in a hosts file, by name in lower case. */
export type Hosts = ReadonlyMap<string, readonly string[]>

/** Parses a file in the format of `/etc/hosts`: an address and its names in each line. Other lines are ignored. */
export function parseHosts (text: string): Hosts {
  const hosts = new Map<string, string[]>()
  for (const line of text.split('\n')) {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/)
    for (const name of names.map((each) => each.toLowerCase())) {
      const known = hosts.get(name)
      if (known === undefined) hosts.set(name, [address])
      else if (!known.includes(address)) known.push(address)
    }
  }
  return hosts
}
