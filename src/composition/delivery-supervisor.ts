import type { Logger } from 'pino'
import { ConfigurationError } from '../config/configuration-error.js'
import type { ForwarderSummary } from '../forwarders/describe-forwarder.js'
import type { StoredBatch } from '../journal/postgres/pack-deliveries.js'
import type { DeliveryConfig, ForwarderStatus } from './delivery.js'
import type { DeliveryHooks, HostedDelivery, OpenedStoreThread, StartDelivery } from './delivery-host.js'
import { watchForHang } from './hang-watch.js'
import { letGoInTime } from './let-go-in-time.js'

export interface DeliverySupervisorOptions extends Omit<DeliveryHooks, 'onFailure' | 'onStatus'> {
  readonly start: StartDelivery
  readonly config: Omit<DeliveryConfig, 'term'>
  readonly logger: Logger
}

/** A forwarder that runs in this service. */
export interface SupervisedForwarder extends ForwarderSummary {
  readonly breakerState: () => ForwarderStatus['breaker']
  readonly isPaused: () => boolean
  /** Whether it runs here; `undefined` where it can run nowhere else. */
  readonly leads: () => boolean | undefined
  readonly pause: () => void
  readonly resume: () => void
}

export interface DeliverySupervisor {
  /**
   * Makes the forwarders; starts none.
   * @throws {ConfigurationError} for what is wrong with those that are configured
   */
  readonly openForwarders: () => Promise<readonly SupervisedForwarder[]>
  readonly claim: () => Promise<void>
  /** Resolves once the forwarders have started, which they do once the store is open. */
  readonly begin: () => Promise<void>
  readonly storeOpened: (opened: OpenedStoreThread) => void
  readonly setVisible: (sequence: number) => void
  readonly stored: (batch: StoredBatch) => void
  readonly letGo: () => Promise<void>
  readonly checkpoint: () => Promise<void>
  /** Ends the attempts under way after `timeoutMs`. Rejects where something of it is not closed soon after. Idempotent. */
  readonly close: (timeoutMs: number) => Promise<void>
  /** Resolves when nothing of it runs any more. */
  readonly exited: () => Promise<void>
}

/** How soon those who forward are started anew after they failed, in milliseconds: the first time, and at most. */
const RESTART_MIN_MS = 1000
const RESTART_MAX_MS = 60_000
/** Having run for so long, a failure is the first again. */
const STEADY_MS = 300_000
/** How much of what was stored may be on its way to those who forward: where somebody's code computes, nothing takes it there. In bytes. */
const HANDING_BYTES = 16 * 1024 * 1024

/** Keeps those who forward: where they fail, they are started anew, and go on where the store says that they were. */
export function superviseDelivery (options: DeliverySupervisorOptions): DeliverySupervisor {
  const { start, config, logger } = options
  const statuses = new Map<string, ForwarderStatus>()
  let term = 0
  /** Whether the last that was started has failed. */
  let isDown = false
  let delivery = startAnew()
  let store: OpenedStoreThread | undefined
  let visible = 0
  let handing = 0
  let begun = false
  let failures = 0
  let startedAt = performance.now()
  let restartTimer: NodeJS.Timeout | undefined
  let storeTimer: NodeJS.Timeout | undefined
  let endHangWatch = (): void => {}
  let closing: Promise<void> | undefined

  function startAnew (): HostedDelivery {
    const mine = ++term
    isDown = false
    return start({ ...options, onStatus: (status) => { statuses.set(status.name, status) }, onFailure: (error) => { if (mine === term) failed(error) } })
  }

  /** Before it has begun, whoever waits for that is told. */
  function failed (error: Error): void {
    endHangWatch()
    isDown = true
    if (closing !== undefined) return
    if (performance.now() - startedAt > STEADY_MS) failures = 0
    const retryInMs = Math.min(RESTART_MAX_MS, RESTART_MIN_MS * 2 ** Math.min(failures++, 10))
    logger.error({ err: error, retryInMs }, 'delivery thread failed')
    if (begun) restartIn(retryInMs)
  }

  function restartIn (retryInMs: number): void {
    clearTimeout(restartTimer)
    // One that can't go on is ended, so that its successor finds free what it has claimed.
    restartTimer = setTimeout(() => { restart().catch((error: unknown) => { delivery.abort(error instanceof Error ? error : new Error(String(error))) }) }, retryInMs)
  }

  async function restart (): Promise<void> {
    startedAt = performance.now()
    delivery = startAnew()
    const mine = delivery
    await open(mine)
    await mine.claim()
    if (store !== undefined) await mine.storeOpened({ ...store, visible })
    await mine.begin()
    logger.info('delivery thread runs again')
  }

  /** A system that has no descriptor left now may have one soon. Nobody else tells them of it again. */
  function handOverStore (opened: OpenedStoreThread): void {
    const mine = delivery
    mine.storeOpened({ ...opened, visible }).catch((error: unknown) => {
      logger.error({ err: error }, 'forwarders cannot read the journal')
      if (closing !== undefined) return
      clearTimeout(storeTimer)
      storeTimer = setTimeout(() => { if (store === opened && delivery === mine && !isDown) handOverStore(opened) }, RESTART_MIN_MS)
    })
  }

  async function open (mine: HostedDelivery): Promise<readonly ForwarderSummary[]> {
    endHangWatch()
    endHangWatch = watchForHang(mine)
    const opened = await mine.openForwarders({ ...config, term })
    if (!opened.ok) throw new ConfigurationError(opened.faults)
    return opened.forwarders
  }

  function steer (name: string, verb: 'pause' | 'resume'): void {
    statuses.set(name, { ...statusOf(name), paused: verb === 'pause' })
    // Where the thread has failed, its successor finds in the store what was asked for.
    delivery[verb](name).catch(() => undefined)
  }

  function statusOf (name: string): ForwarderStatus {
    return statuses.get(name) ?? { name, breaker: 'closed', paused: false }
  }

  return {
    async openForwarders () {
      const summaries = await open(delivery)
      return summaries.map((summary) => ({
        ...summary,
        breakerState: () => statusOf(summary.name).breaker,
        isPaused: () => statusOf(summary.name).paused,
        leads: () => config.shared === undefined ? undefined : statusOf(summary.name).leads ?? false,
        pause: () => { steer(summary.name, 'pause') },
        resume: () => { steer(summary.name, 'resume') }
      }))
    },

    claim: async () => { await delivery.claim() },

    async begin () {
      begun = true
      // It may have failed since nobody waited for it any more.
      if (isDown) return restartIn(RESTART_MIN_MS)
      try {
        await delivery.begin()
      } catch (error) {
        // Where the thread has failed, its successor begins.
        if (!isDown) throw error
      }
    },

    storeOpened (opened) {
      store = opened
      visible = Math.max(visible, opened.visible)
      handOverStore(opened)
    },

    setVisible (sequence) {
      visible = sequence
      delivery.setVisible(sequence).catch(() => undefined)
    },

    // What is not handed over is found by those who look for what others have stored. One that is started anew reads it.
    stored (batch) {
      const bytes = batch.records.length + batch.bodies.byteLength
      if (handing > 0 && handing + bytes > HANDING_BYTES) return
      handing += bytes
      const taken = (): void => { handing -= bytes }
      delivery.stored(batch).then(taken, taken)
    },

    async letGo () {
      // One that is started meanwhile opens nothing either.
      store = undefined
      await letGoInTime(delivery)
    },
    checkpoint: async () => { await delivery.checkpoint() },

    async close (timeoutMs) {
      closing ??= (async () => {
        clearTimeout(restartTimer)
        clearTimeout(storeTimer)
        endHangWatch()
        if (!await delivery.close(timeoutMs)) throw new Error('A forwarder has not ended in time')
      })()
      await closing
    },

    exited: async () => { await delivery.exited }
  }
}
