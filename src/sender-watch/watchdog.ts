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
  /** From 0 to 1. */
  readonly random: () => number
  /** Whether it is this one of several replicas that asks; always where absent. */
  readonly leads?: (() => boolean) | undefined
  /** Calls a function after so many milliseconds; returns what takes that back. */
  readonly after?: (ms: number, run: () => void) => () => void
  /** Where it may switch webhooks on: how often. */
  readonly reenable?: SwitchOnLimit | undefined
  /** Ends the connections there. */
  readonly closeApi: () => Promise<void>
}

/** Asks the sender again and again how our webhook stands there. Nothing that it meets costs anything but a line in the log. */
export interface Watchdog {
  readonly status: () => WebhookStatus
  /** Asks at once, and again and again, until `close`. */
  readonly start: () => void
  /** Asks now. Never rejects. Not twice at once. */
  readonly ask: () => Promise<void>
  /** Idempotent. */
  readonly close: () => Promise<void>
}

const EVERY_MS = 300_000
/** How soon it is known that this one asks from now on. */
const LOOK_MS = 1000
/** By how much each wait may differ, of itself, so that many services do not ask together. */
const JITTER = 0.1
/** The longest wait where it is not answered. */
const LONGEST_MS = 3_600_000
/** How much is waited at most before the first round. */
const START_MS = 2000
/** How long stopping waits for a disk that does not answer. */
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
      // What was sent shows in the list alone: whether it is on now is asked and not believed.
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
    const backoffMs = Math.min(LONGEST_MS, EVERY_MS * 2 ** Math.max(0, Math.min(failures, 10) - 1))
    // What the server asks for is the least.
    return Math.round(Math.max(backoffMs * (1 - JITTER + 2 * JITTER * random()), Math.min(LONGEST_MS, waitMs) * (1 + JITTER * random())))
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
