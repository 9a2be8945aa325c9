import type { Logger } from 'pino'
import { ConfigurationError } from '../config/configuration-error.js'
import type { ForwarderSummary } from '../forwarders/describe-forwarder.js'
import type { StoredBatch } from '../journal/postgres/pack-deliveries.js'
import type { DeliveryConfig, ForwarderStatus } from './delivery.js'
import type { DeliveryHooks, HostedDelivery, OpenedStoreThread, StartDelivery } from './delivery-host.js'
import { watchForHang } from './hang-watch.js'
import { closeDatabaseInTime } from './close-database-in-time.js'

export interface DeliverySupervisorOptions extends Omit<DeliveryHooks, 'onFailure' | 'onStatus'> {
  readonly start: StartDelivery
  readonly config: Omit<DeliveryConfig, 'term' | 'customAfterMs'>
  readonly logger: Logger
}

/** A forwarder that this service runs. */
export interface SupervisedForwarder extends ForwarderSummary {
  readonly breakerState: () => ForwarderStatus['breaker']
  readonly isPaused: () => boolean
  /** Whether this replica leads the forwarder; `undefined` if there are no replicas. */
  readonly leads: () => boolean | undefined
  readonly pause: () => void
  readonly resume: () => void
}

export interface DeliverySupervisor {
  /**
   * Makes the forwarders, but does not start them.
   * @throws {ConfigurationError} if the configured forwarders are wrong
   */
  readonly openForwarders: () => Promise<readonly SupervisedForwarder[]>
  readonly claim: () => Promise<void>
  /** Starts the forwarders as soon as the store is open, and resolves then. */
  readonly begin: () => Promise<void>
  readonly storeOpened: (opened: OpenedStoreThread) => void
  readonly setVisible: (sequence: number) => void
  readonly stored: (batch: StoredBatch) => void
  readonly closeDatabase: () => Promise<void>
  readonly checkpoint: () => Promise<void>
  /** Ends the attempts under way after `timeoutMs`. Rejects if the thread has not closed everything soon after that. Idempotent. */
  readonly close: (timeoutMs: number) => Promise<void>
  /** Resolves when the deliver thread has ended. */
  readonly exited: () => Promise<void>
}

/** How long to wait before the deliver thread is started again after a failure, in milliseconds: after the first failure, and at most. */
const RESTART_MIN_MS = 1000
const RESTART_MAX_MS = 60_000
/** After running for this long, in milliseconds, the next failure counts as the first again. */
const STEADY_MS = 300_000
/**
 * The most bytes of stored records that may be on their way to the deliver thread. While a custom forwarder computes without a pause, the thread
 * takes none of them.
 */
const HANDING_BYTES = 16 * 1024 * 1024

/** Runs the deliver thread, and starts it again if it fails. The new thread continues where the store says the forwarders were. */
export function superviseDelivery (options: DeliverySupervisorOptions): DeliverySupervisor {
  const { start, config, logger } = options
  const statuses = new Map<string, ForwarderStatus>()
  let term = 0
  /** Whether the current deliver thread has failed. */
  let isDown = false
  let delivery = startHosted()
  let store: OpenedStoreThread | undefined
  let visible = 0
  let handing = 0
  let begun = false
  let failures = 0
  const hasCustom = config.configured.specs.some(({ kind }) => kind === 'module')
  /** How long custom forwarders wait after the next start, and the time from which they may be loaded and run. */
  let customAfterMs = 0
  let customAt = 0
  let startedAt = performance.now()
  let restartTimer: NodeJS.Timeout | undefined
  let storeTimer: NodeJS.Timeout | undefined
  let endHangWatch = (): void => {}
  let closing: Promise<void> | undefined

  function startHosted (): HostedDelivery {
    const mine = ++term
    isDown = false
    return start({ ...options, onStatus: (status) => { statuses.set(status.name, { paused: statusOf(status.name).paused, ...status }) }, onFailure: (error) => { if (mine === term) failed(error) } })
  }

  /** Handles a failure of the thread. Before `begin`, the thread is not started again: the calls under way reject, and their callers handle it. */
  function failed (error: Error): void {
    endHangWatch()
    isDown = true
    if (closing !== undefined) return
    if (performance.now() - startedAt > STEADY_MS) failures = 0
    const backoffMs = Math.min(RESTART_MAX_MS, RESTART_MIN_MS * 2 ** Math.min(failures++, 10))
    // If custom forwarders ran, one of them may have ended the thread. Then only custom forwarders wait for the whole backoff.
    const retryInMs = hasCustom && performance.now() >= customAt ? RESTART_MIN_MS : backoffMs
    customAfterMs = hasCustom ? backoffMs : 0
    logger.error({ err: error, retryInMs, ...hasCustom ? { customAfterMs } : {} }, 'delivery thread failed')
    if (begun) restartIn(retryInMs)
  }

  function restartIn (retryInMs: number): void {
    clearTimeout(restartTimer)
    // If the new thread cannot go on, end it, so that the next one can claim what it had claimed.
    restartTimer = setTimeout(() => { restart().catch((error: unknown) => { delivery.abort(error instanceof Error ? error : new Error(String(error))) }) }, retryInMs)
  }

  async function restart (): Promise<void> {
    startedAt = performance.now()
    delivery = startHosted()
    const mine = delivery
    await open(mine)
    await mine.claim()
    if (store !== undefined) await mine.storeOpened({ ...store, visible })
    await mine.begin()
    logger.info('delivery thread runs again')
  }

  /**
   * Tells the deliver thread about the open store, and tries again if that fails: the system may lack file descriptors for a moment only, and
   * nothing else tells the thread again.
   */
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
    customAt = performance.now() + customAfterMs
    const opened = await mine.openForwarders({ ...config, term, customAfterMs })
    if (!opened.ok) throw new ConfigurationError(opened.faults)
    return opened.forwarders
  }

  function steer (name: string, verb: 'pause' | 'resume'): void {
    statuses.set(name, { ...statusOf(name), paused: verb === 'pause' })
    // If the thread has failed, the new one reads from the store whether the forwarder is paused.
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
        isPaused: () => statusOf(summary.name).paused === true,
        leads: () => config.shared === undefined ? undefined : statusOf(summary.name).leads ?? false,
        pause: () => { steer(summary.name, 'pause') },
        resume: () => { steer(summary.name, 'resume') }
      }))
    },

    claim: async () => { await delivery.claim() },

    async begin () {
      begun = true
      // The thread may have failed while no call was under way.
      if (isDown) return restartIn(RESTART_MIN_MS)
      try {
        await delivery.begin()
      } catch (error) {
        // If the thread has failed, the new one starts the forwarders.
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

    // Skips the records if too many are on their way. The thread then reads them from the database, like records that other replicas stored.
    stored (batch) {
      const bytes = batch.records.length + batch.bodies.byteLength
      if (handing > 0 && handing + bytes > HANDING_BYTES) return
      handing += bytes
      const taken = (): void => { handing -= bytes }
      delivery.stored(batch).then(taken, taken)
    },

    async closeDatabase () {
      // If the thread is being started again, the new one must not open the store either.
      store = undefined
      await closeDatabaseInTime(delivery)
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
