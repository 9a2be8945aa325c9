export interface TermsOptions {
  readonly monotonic: () => number
  readonly onLost: (forwarder: string, token: number) => void
}

/**
 * The forwarders that this replica leads, each with its term's fencing token. All terms end with the replica's lease, unless the lease is
 * extended.
 */
export interface Terms {
  readonly begin: (forwarder: string, token: number) => void
  readonly isLeading: (forwarder: string, token: number) => boolean
  readonly tokenOf: (forwarder: string) => number | undefined
  readonly forwarders: () => readonly string[]
  /** Ends a term without calling `onLost`. */
  readonly forget: (forwarder: string, token: number) => void
  readonly lose: (forwarder: string, token: number) => void
  readonly loseAll: () => void
  /** Extends the lease to this time of the monotonic clock. */
  readonly extend: (until: number) => void
  readonly close: () => void
}

export function createTerms ({ monotonic, onLost }: TermsOptions): Terms {
  const tokens = new Map<string, number>()
  let leaseUntil = -Infinity
  let timer: NodeJS.Timeout | undefined

  function forget (forwarder: string, token: number): boolean {
    return tokens.get(forwarder) === token && tokens.delete(forwarder)
  }

  function lose (forwarder: string, token: number): void {
    if (forget(forwarder, token)) onLost(forwarder, token)
  }

  function loseAll (): void {
    for (const [forwarder, token] of [...tokens]) lose(forwarder, token)
  }

  function endWithLease (): void {
    if (monotonic() >= leaseUntil) loseAll()
  }

  return {
    begin (forwarder, token) { tokens.set(forwarder, token) },

    isLeading (forwarder, token) {
      endWithLease()
      return tokens.get(forwarder) === token
    },

    tokenOf: (forwarder) => tokens.get(forwarder),
    forwarders: () => [...tokens.keys()],
    forget,
    lose,
    loseAll,

    extend (until) {
      // First end the terms if the lease is over already: another replica may lead by now.
      endWithLease()
      leaseUntil = until
      clearTimeout(timer)
      timer = setTimeout(loseAll, Math.max(0, until - monotonic()))
    },

    close () { clearTimeout(timer) }
  }
}
