import type { Logger } from 'pino'
import type { Clock } from '../delivery/clock.js'
import { within } from '../delivery/within.js'
import { askSender, type Asked, type AskSenderOptions } from './ask-sender.js'
import { createSwitchOn } from './switch-on.js'
import type { SwitchOnLimit } from './switch-on-limit.js'
import { createWebhookState } from './webhook-state.js'
import type { WebhookStatus } from './webhook-status.js'

export interface WatchdogOptions extends AskSenderOptions {
  readonly logger: Logger
  readonly clock: Clock
  /** Returns a number from 0 to 1. */
  readonly random: () => number
  /** Whether this replica, of several, asks; always if absent. */
  readonly leads?: (() => boolean) | undefined
  /** Calls a function after this many milliseconds. Returns a function that cancels the call. */
  readonly after?: (ms: number, run: () => void) => () => void
  /** Limits how often webhooks are switched on. Absent: the watchdog never switches one on. */
  readonly reenable?: SwitchOnLimit | undefined
  /** Closes the connections to the API. */
  readonly closeApi: () => Promise<void>
}

/** Asks the sender regularly for the state of our webhook. Any failure causes a log line and nothing else. */
export interface Watchdog {
  readonly status: () => WebhookStatus
  /** Asks soon, and then regularly until `close`. */
  readonly start: () => void
  /** Asks now. Never rejects. Calls during a round share that round. */
  readonly ask: () => Promise<void>
  /** Idempotent. */
  readonly close: () => Promise<void>
}

const EVERY_MS = 300_000
/** How often a replica that does not ask checks whether it should now, in milliseconds. */
const LOOK_MS = 1000
/** The share by which each wait varies at random, so that many services do not ask at the same time. */
const JITTER = 0.1
/** The longest wait after failures, in milliseconds. */
const MAX_MS = 3_600_000
/** The longest wait before the first round, in milliseconds. */
const START_MS = 2000
/** How long stopping waits for a disk that hangs, in milliseconds. */
const CLOSE_LIMIT_MS = 500

export function createWatchdog (options: WatchdogOptions): Watchdog {
  const { logger, clock, random, after = afterTimeout, leads = () => true, api, reenable } = options
  const state = createWebhookState({ logger, clock })
  const switchOn = reenable === undefined ? undefined : createSwitchOn({ api, limit: reenable, logger, onSwitched: state.switchedOn })
  const stopped = new AbortController()
  let failures = 0
  let waitMs = 0
  let underWay: Promise<void> | undefined
  let cancel: (() => void) | undefined
  let closing: Promise<void> | undefined

  function take ({ findings, failures: unanswered }: Asked): void {
    if (stopped.signal.aborted) return
    state.found(findings)
    const [first] = unanswered
    if (first === undefined) {
      failures = 0
      waitMs = 0
      state.answered()
      return
    }
    failures++
    waitMs = Math.max(...unanswered.map(({ retryAfterMs = 0 }) => retryAfterMs))
    state.failed(first.message)
  }

  async function round (): Promise<void> {
    const { signal } = stopped
    try {
      const asked = await askSender(options, signal)
      take(asked)
      // Ask again, because only the list shows whether the webhook is really on now.
      if (switchOn !== undefined && await switchOn(asked.off, signal)) take(await askSender(options, signal))
    } catch (error) {
      failures++
      logger.error({ err: error }, 'watchdog failed')
    }
  }

  async function ask (): Promise<void> {
    underWay ??= round().finally(() => { underWay = undefined })
    await underWay
  }

  function nextMs (): number {
    const backoffMs = Math.min(MAX_MS, EVERY_MS * 2 ** Math.max(0, Math.min(failures, 10) - 1))
    // Never ask sooner than the server wants, within the longest wait.
    return Math.round(Math.max(backoffMs * (1 - JITTER + 2 * JITTER * random()), Math.min(MAX_MS, waitMs) * (1 + JITTER * random())))
  }

  function plan (ms: number): void {
    if (stopped.signal.aborted) return
    cancel = after(ms, () => {
      if (leads()) ask().finally(() => { plan(nextMs()) })
      else plan(LOOK_MS)
    })
  }

  return {
    status: state.status,
    ask,
    start () {
      if (cancel === undefined) plan(Math.round(random() * START_MS))
    },
    async close () {
      closing ??= (async () => {
        cancel?.()
        stopped.abort(new Error('tierhook stops'))
        await within(CLOSE_LIMIT_MS, Promise.resolve(underWay))
        await options.closeApi()
      })()
      await closing
    }
  }
}

function afterTimeout (ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms)
  return () => { clearTimeout(timer) }
}
