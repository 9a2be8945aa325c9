import type { FastifyBaseLogger } from 'fastify'
import { addressGroup } from './address-group.js'

export interface RefusalLogOptions {
  readonly logger: FastifyBaseLogger
  readonly monotonic: () => number
  /** The most lines in a minute. */
  readonly limits?: RefusalLogLimits
}

export interface RefusalLogLimits {
  /** With one code, for one address. */
  readonly perCode: number
  /** For one address. */
  readonly perAddress: number
  readonly all: number
}

export interface Refusal {
  /** The code of the answer, or of what was done instead. */
  readonly code: string
  /** The client's address. */
  readonly address: string | undefined
}

/** Limits the log lines that strangers can cause. A limited number of refusals is logged, and the rest is counted. */
export interface RefusalLog {
  /** Whether this refusal may be logged. If not, it is counted, and the counts are logged within a minute. */
  readonly mayLog: (refusal: Refusal) => boolean
  /** Logs the counts so far. To be called at the end. */
  readonly close: () => void
}

const LIMITS: RefusalLogLimits = { perCode: 20, perAddress: 60, all: 300 }
const MINUTE_MS = 60_000
/** How many addresses are counted separately in a minute. */
const MAX_ADDRESSES = 1000

interface Sender {
  lines: number
  readonly linesByCode: Map<string, number>
  counted: number
}

export function createRefusalLog ({ logger, monotonic, limits = LIMITS }: RefusalLogOptions): RefusalLog {
  let senders = new Map<string, Sender>()
  let codes = new Map<string, number>()
  let since = -Infinity
  let lines = 0
  let timer: NodeJS.Timeout | undefined

  function beginMinute (): void {
    clearTimeout(timer)
    timer = undefined
    senders = new Map()
    codes = new Map()
    lines = 0
    since = monotonic()
  }

  /** `undefined` if too many addresses are counted already. */
  function senderAt (address: string): Sender | undefined {
    const known = senders.get(address)
    if (known !== undefined || senders.size >= MAX_ADDRESSES) return known
    const sender: Sender = { lines: 0, linesByCode: new Map(), counted: 0 }
    senders.set(address, sender)
    return sender
  }

  function logCounted (): void {
    if (codes.size > 0) {
      const counted = [...senders].filter(([, sender]) => sender.counted > 0).sort(([, one], [, other]) => other.counted - one.counted)
      logger.warn({
        count: [...codes.values()].reduce((sum, count) => sum + count, 0),
        codes: Object.fromEntries(codes),
        addresses: counted.length,
        mostFrom: counted[0]?.[0] ?? null,
        seconds: Math.round((monotonic() - since) / 1000)
      }, 'refusals counted, not logged')
    }
    beginMinute()
  }

  return {
    mayLog ({ code, address }) {
      if (monotonic() - since >= MINUTE_MS) logCounted()
      const sender = senderAt(addressGroup(address))
      const ofCode = sender?.linesByCode.get(code) ?? 0
      if (sender !== undefined && lines < limits.all && sender.lines < limits.perAddress && ofCode < limits.perCode) {
        lines++
        sender.lines++
        sender.linesByCode.set(code, ofCode + 1)
        return true
      }
      if (sender !== undefined) sender.counted++
      codes.set(code, (codes.get(code) ?? 0) + 1)
      timer ??= setTimeout(logCounted, since + MINUTE_MS - monotonic())
      return false
    },
    close: logCounted
  }
}
