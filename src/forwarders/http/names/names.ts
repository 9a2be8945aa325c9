import type { LookupFunction } from 'node:net'
import { within } from '../../../delivery/within.js'
import { isNotFound, type Address, type Found, type LookUp } from './look-up.js'

export interface NamesOptions {
  readonly lookUp: LookUp
  /** How long one look-up may take, in milliseconds. */
  readonly limitMs: number
  /** Monotonic time, in milliseconds. */
  readonly now: () => number
}

/** Looks up and remembers the names of one destination and its proxy. */
export interface Names {
  /** For `net.connect`. */
  readonly lookup: LookupFunction
  /** Notes that a connection to an address of a name worked. Addresses of the same family are tried first from then on. */
  readonly connected: (name: string, family: Address['family']) => void
  /** Stops the running look-ups. Their callers get an error. */
  readonly close: () => void
}

/** How long to wait for a look-up if there is an older answer, in milliseconds. */
const PATIENCE_MS = 500
/** How long an answer may be used after it is no longer fresh, if there is no newer one, in milliseconds (RFC 8767). */
const USABLE_MS = 3_600_000
/** How long an older answer is used after a failed look-up before the next look-up, in milliseconds. */
const ASK_AGAIN_MS = 5000

interface Known {
  readonly addresses: readonly Address[]
  /** Until then the name is not looked up again. */
  readonly freshUntil: number
  /** Until then the answer may be used if there is no newer one. */
  readonly usableUntil: number
}

interface Running {
  readonly found: Promise<readonly Address[]>
  readonly startedAt: number
  readonly stop: (reason: Error) => void
}

interface Name {
  known?: Known
  running?: Running | undefined
  family?: Address['family']
}

/**
 * Looks up a name once for all simultaneous callers, and keeps the answer. While a look-up hangs or fails, the previous answer is used, for
 * an hour at most. If the name certainly no longer exists, the previous answer is dropped.
 */
export function createNames ({ lookUp, limitMs, now }: NamesOptions): Names {
  /** Holds only the names of a destination and its proxy. */
  const names = new Map<string, Name>()
  let closed = false

  function nameOf (name: string): Name {
    const known = names.get(name)
    if (known !== undefined) return known
    const added: Name = {}
    names.set(name, added)
    return added
  }

  function begin (name: string, state: Name): Running {
    const controller = new AbortController()
    const timer = setTimeout(() => { controller.abort(new Error(`${name} could not be looked up within ${limitMs} ms`)) }, limitMs)
    const found = Promise.race([lookUp(name, controller.signal), aborted(controller.signal)]).then((answer) => keep(state, answer), (error: unknown) => {
      fail(state, error)
      throw error
    }).finally(() => {
      clearTimeout(timer)
      state.running = undefined
    })
    return { found, startedAt: now(), stop: (reason) => { controller.abort(reason) } }
  }

  function keep (state: Name, { addresses, freshMs }: Found): readonly Address[] {
    state.known = { addresses, freshUntil: now() + freshMs, usableUntil: now() + freshMs + USABLE_MS }
    return addresses
  }

  function fail (state: Name, error: unknown): void {
    if (isNotFound(error)) delete state.known
    else if (state.known !== undefined) state.known = { ...state.known, freshUntil: now() + ASK_AGAIN_MS }
  }

  async function addressesOf (name: string): Promise<readonly Address[]> {
    if (closed) throw new Error('The forwarder is closed')
    const state = nameOf(name)
    const { known } = state
    if (known !== undefined && now() < Math.min(known.freshUntil, known.usableUntil)) return known.addresses
    state.running ??= begin(name, state)
    const { found, startedAt } = state.running
    if (known === undefined || now() >= known.usableUntil) return await found
    const newer = found.catch((error: unknown) => {
      if (isNotFound(error)) throw error
      return known.addresses
    })
    return await within(startedAt + PATIENCE_MS - now(), newer) ?? known.addresses
  }

  function inOrder (name: string, addresses: readonly Address[]): readonly Address[] {
    const first = names.get(name)?.family
    return [...addresses.filter(({ family }) => family === first), ...addresses.filter(({ family }) => family !== first)]
  }

  return {
    lookup (name, { all, family }, callback) {
      addressesOf(name).then((addresses) => {
        const wanted = inOrder(name, addresses).filter((address) => family === undefined || family === 0 || Number(family) === address.family)
        const [first] = wanted
        if (first === undefined) callback(Object.assign(new Error(`${name} has no address of IPv${family ?? 4}`), { code: 'ENODATA' }), '')
        else if (all === true) callback(null, wanted.map((address) => ({ ...address })))
        else callback(null, first.address, first.family)
      }, (error: unknown) => { callback(error instanceof Error ? error : new Error(String(error)), '') })
    },
    connected (name, family) { nameOf(name).family = family },
    close () {
      closed = true
      for (const { running } of names.values()) running?.stop(new Error('The forwarder is closed'))
    }
  }
}

async function aborted (signal: AbortSignal): Promise<never> {
  return await new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => { reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason))) })
  })
}
