/** How short names are completed. */
export interface SearchList {
  /** The search domains, such as `shop.svc.cluster.local`. */
  readonly domains: readonly string[]
  /** A name with at least this many dots is first tried as it is. */
  readonly ndots: number
}

const MAX_DOTS = 15

/**
 * Reads the settings for names in `/etc/resolv.conf`: the last `search` or `domain`, and the last `options ndots:n`.
 * @param hostname this machine's name. Its domain is searched if the file names none
 */
export function parseSearchList (text: string, hostname: string): SearchList {
  const lines = text.split('\n').map((line) => line.trim().split(/\s+/))
  const named = lines.filter(([key]) => key === 'search' || key === 'domain').at(-1)?.slice(1)
  const own = hostname.includes('.') ? [hostname.slice(hostname.indexOf('.') + 1)] : []
  const dots = lines.filter(([key]) => key === 'options').flatMap((line) => line.slice(1)).map((option) => /^ndots:(\d+)$/.exec(option)?.[1]).filter((digits) => digits !== undefined).at(-1)
  return {
    domains: (named ?? own).map((domain) => domain.replace(/\.$/, '').toLowerCase()).filter((domain) => domain !== ''),
    ndots: Math.min(MAX_DOTS, Number(dots ?? 1))
  }
}

/** Returns the full names that a name may stand for, in the order in which to try them. A name with a dot at the end is already full. */
export function candidatesFor (name: string, { domains, ndots }: SearchList): readonly string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)]
  const completed = domains.map((domain) => `${name}.${domain}`)
  return name.split('.').length - 1 >= ndots ? [name, ...completed] : [...completed, name]
}
