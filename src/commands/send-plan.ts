import type { Pace } from '../simulator/pace.js'
import { maxRetries } from '../voucherify/retry-schedule.js'
import type { RunOptions } from '../simulator/run.js'
import { tierEvents } from '../voucherify/catalogue.js'
import { eventType } from './event-types.js'
import { STANDARD_INPUT } from './read-secret.js'
import type { SendOptions } from './send.js'
import { UsageError } from './command-line.js'

/** Plan of a run, from the options of `send` alone. */
export interface SendPlan extends Pick<RunOptions, 'pace' | 'limit' | 'retries' | 'clockFactor' | 'duplicates' | 'overlaps'> {
  /** Event types. Empty only if the user gives a body. */
  readonly types: readonly string[]
  readonly limitMs: number
  /** Whether each answer is shown on a line of its own: for a few events without special options. */
  readonly answerByAnswer: boolean
}

/** The most events whose answers are shown one by one. */
const shownAnswers = 20
const maxConcurrency = 10_000
const closedConcurrency = 10

/** @throws UsageError if options contradict each other, or a name is not an event type */
export function planSend (names: readonly string[], options: SendOptions): SendPlan {
  refuseContradictions(names, options)
  const types = [...new Set(options.all === true ? tierEvents.map(({ type }) => type) : names.map(name => eventType(name, { opaque: options.opaque === true })))]
  const pace = paceOf(options, types.length)
  const clockFactor = options.clock ?? 1
  const limitMs = options.compressTimeout === true ? Math.max(Math.round(options.timeoutMs / clockFactor), 1) : options.timeoutMs
  const retries = options.retries ?? (options.clock === undefined ? 0 : maxRetries)
  const special = retries > 0 || options.duplicates !== undefined || options.overlaps !== undefined || options.verify !== undefined
  return {
    types,
    pace,
    limit: options.concurrency ?? defaultLimit(pace, limitMs),
    retries,
    clockFactor,
    duplicates: options.duplicates ?? 0,
    overlaps: options.overlaps ?? 0,
    limitMs,
    answerByAnswer: !special && pace.kind === 'closed' && 'events' in pace && pace.events <= shownAnswers
  }
}

/** The default limit of concurrent requests. With a rate, enough to keep the schedule even if every answer times out. */
function defaultLimit (pace: Pace, limitMs: number): number {
  return pace.kind === 'closed' ? closedConcurrency : Math.min(Math.max(Math.ceil(pace.perSecond * (limitMs + 1000) / 1000), 100), maxConcurrency)
}

/** Returns the pace. The default is one event of each type, or the one body. */
function paceOf ({ rate, seconds, count }: SendOptions, types: number): Pace {
  if (rate !== undefined) {
    if (seconds === undefined && count === undefined) throw new UsageError('--rate needs an end: add --seconds or --count')
    return { kind: 'open', perSecond: rate, events: count ?? Math.max(Math.round(rate * (seconds ?? 0)), 1) }
  }
  return seconds === undefined ? { kind: 'closed', events: count ?? Math.max(types, 1) } : { kind: 'closed', forMs: seconds * 1000 }
}

function refuseContradictions (names: readonly string[], options: SendOptions): void {
  const { all, body, verify } = options
  if (names.length === 0 && all !== true && body === undefined) {
    throw new UsageError('Nothing to send. Name an event type such as customer.loyalty.tier.upgraded, or write --all, or --body with a file')
  }
  if (all === true && names.length > 0) throw new UsageError('--all sends every loyalty tier event: leave out the names, or --all')
  if (body !== undefined && names.length > 1) throw new UsageError('--body sends one body: name one event type at most')
  if (body !== undefined) atMostOne({ '--body': body, '--all': all, '--raw': options.raw, '--invalid': options.invalid, '--source': options.source })
  atMostOne({ '--unsigned': options.unsigned, '--wrong-secret': options.wrongSecret, '--secret': options.secret, '--secret-file': options.secretFile })
  atMostOne({ '--verify-token': options.verifyToken, '--verify-token-file': options.verifyTokenFile })
  if (options.secretFile === STANDARD_INPUT && options.verifyTokenFile === STANDARD_INPUT) throw new UsageError('--secret-file and --verify-token-file cannot both be standard input: name a file for one of them')
  atMostOne({ '--seconds': options.seconds, '--count': options.count })
  if (options.bodyAsIs === true && body === undefined) throw new UsageError('--body-as-is says how --body is sent: add --body with a file')
  if (options.compressTimeout === true && options.clock === undefined) throw new UsageError('--compress-timeout needs --clock: add --clock 1000x, for example')
  const [stray] = given({ '--verify-within': options.verifyWithin, '--verify-token': options.verifyToken, '--verify-token-file': options.verifyTokenFile })
  if (verify === undefined && stray !== undefined) throw new UsageError(`${stray} belongs to --verify: add it with a file or a URL`)
}

function given (options: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.keys(options).filter(name => options[name] !== undefined)
}

function atMostOne (options: Readonly<Record<string, unknown>>): void {
  const names = given(options)
  if (names.length > 1) throw new UsageError(`${names.join(' and ')} contradict each other: leave one out`)
}
