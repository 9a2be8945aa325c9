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

/** The names that the connections of one destination are made to. */
export interface Names {
  /** For `net.connect`. */
  readonly lookup: LookupFunction
  /** Notes that an address of a name could be connected to: its family is tried first from then on. */
  readonly connected: (name: string, family: Address['family']) => void
  /** Ends the look-ups that run. Whoever waits for one is told so. */
  readonly close: () => void
}

/** How long a look-up is waited for where there is an older answer, in milliseconds. */
const PATIENCE_MS = 500
/** How long an answer may be used where no newer one is to be had, in milliseconds (RFC 8767). */
const USABLE_MS = 3_600_000
/** How long that is done before it is asked again, in milliseconds. */
const ASK_AGAIN_MS = 5000

interface Known {
  readonly addresses: readonly Address[]
  /** Until then nobody is asked. */
  readonly freshUntil: number
  /** Until then it is better than none. */
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
 * Looks names up once for all who want one at the same time, and keeps what was found. While a look-up hangs or fails, the
 * answer before it is used, for an hour at most. It is used no longer where there is certainly no such name any more.
 */
export function createNames ({ lookUp, limitMs, now }: NamesOptions): Names {
  /** No more than a destination and its proxy have. */
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
