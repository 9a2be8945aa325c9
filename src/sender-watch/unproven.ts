import type { ProblemCode } from '../errors/problem.js'
import { addressGroup } from '../http/address-group.js'
import type { Counter, CounterOptions } from './counter.js'
import type { Observations } from './observations.js'
import { addTo, asCount, begin, countIn, isOver, merged, type Count } from './refused-count.js'
import { adviceFor, mostTries, WARN_AT_TRIES, TRIES_ALLOWED, TRIES_END_MS } from './sender-tries.js'

/** The most addresses of signed webhooks that are remembered. Voucherify has a handful. */
const MAX_KNOWN = 50
/** The most other addresses that are counted separately. */
const MAX_OTHERS = 20
/** A longer text is not an address. A proxy may pass on any text. */
const MAX_ADDRESS_LENGTH = 64

/** Where requests came from. `known`: an address that sent new signed webhooks before. This is a hint, and no proof. */
export const origins = ['known', 'other'] as const
export type Origin = (typeof origins)[number]

/** Requests refused without proof since the last new signed webhook was accepted. */
export interface UnprovenRefusals {
  readonly from: Origin
  readonly count: number
  readonly since: number
  readonly lastAt: number
  readonly lastCode: ProblemCode
  /** The most tries that the sender has used, if these requests were its own. */
  readonly triesUsed: number
  readonly triesAllowed: number
  /** When the sender makes the last try of the first of these, if it was its own. */
  readonly disabledAt: number
  readonly advice: string
}

export interface UnprovenAddress {
  /** An IPv4 address or the first 64 bits of an IPv6 address; `null` for all others together. */
  readonly address: string | null
  readonly known: boolean
  readonly count: number
  readonly firstAt: number
  readonly lastAt: number
  readonly lastCode: ProblemCode
}

export interface UnprovenReport {
  /** When the last new signed webhook was accepted. */
  readonly signedAt: number | null
  readonly refused: readonly UnprovenRefusals[]
  /** The addresses that were refused within a day, the latest first. */
  readonly addresses: readonly UnprovenAddress[]
}

/** Kept between runs, because a rotated secret usually comes with a restart. */
type KeptUnproven = Observations['unproven']

export interface Unproven extends Counter<KeptUnproven> {
  readonly report: () => UnprovenReport
}

/**
 * Counts refused requests without proof that they come from the sender. Only the address is used: nothing of such a body is read. Most of these
 * requests come from others, but after a rotation of the secret they are the only sign of it.
 */
export function createUnproven ({ logger, now, told = new Map(), tells = () => true, isWhole = () => true }: CounterOptions<Origin>): Unproven {
  /** The address of the latest signed webhook comes last. */
  const known = new Set<string>()
  let latest: string | undefined
  let signedAt: number | null = null
  const refusals = new Map<Origin, Count>()
  const addresses = new Map<string | null, Count>()

  function accepted (sourceAddress: string | undefined): void {
    signedAt = now()
    forgetRefusals()
    if (sourceAddress === undefined || sourceAddress === latest) return
    latest = sourceAddress
    const address = groupOf(sourceAddress)
    if (address === null) return
    known.delete(address)
    learn([address])
  }

  function learn (more: readonly string[]): void {
    for (const address of more) known.add(address)
    if (known.size <= MAX_KNOWN) return
    for (const address of [...known].slice(0, -MAX_KNOWN)) known.delete(address)
    limitOthers(MAX_OTHERS, now())
  }

  function forgetRefusals (): void {
    refusals.clear()
    told.clear()
  }

  function refused (code: ProblemCode, sourceAddress: string | undefined): void {
    const time = now()
    const address = groupOf(sourceAddress)
    countAddress(address, code, time)
    const from = isKnown(address) ? 'known' : 'other'
    const present = refusals.get(from)
    const isNew = present === undefined || isOver(present, time)
    if (isNew && isWhole()) told.delete(from)
    const refusal = isNew ? begin(code, time) : countIn(present, code, time)
    refusals.set(from, refusal)
    if (from === 'known' && isWhole() && tells()) tell(refusal, address)
  }

  function countAddress (address: string | null, code: ProblemCode, time: number): void {
    const present = addresses.get(address)
    if (present !== undefined) {
      countIn(present, code, time)
      return
    }
    if (!isKnown(address)) limitOthers(MAX_OTHERS - 1, time)
    addresses.set(address, begin(code, time))
  }

  /** Merges the addresses that were refused longest ago into one count. Addresses of signed webhooks have places of their own. */
  function limitOthers (most: number, time: number): void {
    const others = [...addresses].filter(([address]) => address !== null && !isKnown(address)).sort(([, one], [, other]) => one.lastAt - other.lastAt)
    for (const [address, count] of others.slice(0, Math.max(0, others.length - most))) {
      addresses.delete(address)
      if (isOver(count, time)) continue
      const rest = addresses.get(null)
      addresses.set(null, rest === undefined || isOver(rest, time) ? count : merged(rest, count))
    }
  }

  function isKnown (address: string | null): boolean {
    return address !== null && known.has(address)
  }

  function tell (refusal: Count, address: string | null): void {
    const { count, since, triesUsed, triesAllowed, disabledAt, lastCode, advice } = describe('known', refusal)
    const tries = WARN_AT_TRIES.find((each) => triesUsed >= each)
    if (tries === undefined || tries <= (told.get('known') ?? 0)) return
    told.set('known', tries)
    logger.warn({
      sourceAddress: address, count, since: new Date(since).toISOString(), triesUsed, triesAllowed, disabledAt: new Date(disabledAt).toISOString(), lastCode, advice
    }, 'unproven webhooks refused from a known address')
  }

  function forgetOver (): void {
    const time = now()
    // A clock that was ahead recorded this time. If it stayed, it would be later than every refusal.
    if (signedAt !== null && signedAt > time) signedAt = time
    // A signed webhook at another replica also ends what came before it.
    for (const [from, count] of refusals) if (isOver(count, time) || count.lastAt < (signedAt ?? 0)) refusals.delete(from)
    for (const [address, count] of addresses) if (isOver(count, time)) addresses.delete(address)
  }

  return {
    restore (earlier) {
      if (earlier.signedAt !== null) signedAt = Math.max(signedAt ?? 0, earlier.signedAt)
      learn(earlier.knownAddresses)
      for (const { from, told: toldBefore, ...count } of earlier.refused) {
        addTo(refusals, from, asCount(count))
        if (toldBefore > (told.get(from) ?? 0)) told.set(from, toldBefore)
      }
      for (const { address, ...count } of earlier.addresses.slice(0, MAX_KNOWN + MAX_OTHERS + 1)) addTo(addresses, address, asCount(count))
      limitOthers(MAX_OTHERS, now())
    },

    heard (others) {
      learn(others.flatMap(({ knownAddresses }) => knownAddresses.filter((address) => !known.has(address))))
      const latestAt = Math.max(...others.map((other) => other.signedAt ?? 0))
      if (latestAt <= (signedAt ?? 0)) return
      signedAt = latestAt
      forgetRefusals()
    },

    check () {
      forgetOver()
      const refusal = refusals.get('known')
      const [address = null] = [...addresses].filter(([each]) => isKnown(each)).sort(([, one], [, other]) => other.lastAt - one.lastAt)[0] ?? []
      if (refusal === undefined) told.clear()
      else tell(refusal, address)
    },

    answered (answer) {
      if (answer.outcome === 'refused') {
        if (answer.toWebhook && answer.proven === undefined) refused(answer.code, answer.sourceAddress)
      } else if (answer.outcome === 'accepted' && !answer.late && answer.secretNumber !== undefined) {
        // Anyone who has captured a duplicate or late webhook can send it again, so it proves nothing.
        accepted(answer.sourceAddress)
      }
    },

    report () {
      forgetOver()
      return {
        signedAt,
        refused: origins.flatMap((from) => {
          const count = refusals.get(from)
          return count === undefined ? [] : [describe(from, count)]
        }),
        addresses: [...addresses].map(([address, count]) => ({ address, known: isKnown(address), ...count })).sort((a, b) => b.lastAt - a.lastAt)
      }
    },

    keep () {
      forgetOver()
      return {
        signedAt,
        knownAddresses: [...known],
        refused: [...refusals].map(([from, count]) => ({ from, ...count, told: told.get(from) ?? 0 })),
        addresses: [...addresses].map(([address, count]) => ({ address, ...count }))
      }
    }
  }
}

function groupOf (sourceAddress: string | undefined): string | null {
  return sourceAddress === undefined || sourceAddress.length > MAX_ADDRESS_LENGTH ? null : addressGroup(sourceAddress)
}

function describe (from: Origin, { count, firstAt, lastAt, lastCode }: Count): UnprovenRefusals {
  return {
    from,
    count,
    since: firstAt,
    lastAt,
    lastCode,
    triesUsed: Math.min(count, mostTries(lastAt - firstAt), TRIES_ALLOWED),
    triesAllowed: TRIES_ALLOWED,
    disabledAt: firstAt + TRIES_END_MS,
    advice: adviceFor(lastCode)
  }
}
