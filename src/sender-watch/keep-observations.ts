import type { Logger } from 'pino'
import { within } from '../delivery/within.js'
import { keepUp, type KeptUp } from '../kept-file/keep-up.js'
import { storageFields } from '../errors/storage-cause.js'
import { formatObservations, parseObservations, type Observations } from './observations.js'
import type { KeptText, ObservationsStore } from './observations-store.js'
import type { Observed } from './observed.js'

export interface KeepObservationsOptions {
  readonly store: ObservationsStore
  readonly observed: Pick<Observed, 'keep' | 'heard' | 'forget' | 'merge'>
  /** Whether it is this one of several replicas that merges what others have left behind. */
  readonly leads: () => boolean
  readonly logger: Logger
}

export interface KeptObservations extends KeptUp {
  /** Forgets drift, here at once and everywhere soon. */
  readonly resetDrift: () => void
}

/** How long stopping waits for connections that do not end. */
const CLOSE_LIMIT_MS = 500
const NO_DRIFT = { differences: [], dropped: 0 }

/** What was kept, of which drift that was reset since is left out. What cannot be read counts for nothing. */
export function readKept (all: readonly KeptText[], onUnreadable: (error: unknown, text: string) => void): readonly Observations[] {
  return all.flatMap(({ text, isDriftCurrent }) => {
    try {
      const observations = parseObservations(text)
      return isDriftCurrent ? observations : { ...observations, drift: NO_DRIFT }
    } catch (error) {
      onUnreadable(error, text)
      return []
    }
  })
}

/** Keeps what was noticed for the next run and for other replicas, and hears what those have noticed. */
export function keepObservations ({ store, observed, leads, logger }: KeepObservationsOptions): KeptObservations {
  let isResetWanted = false
  let isFailing = false
  let unreadable: string | undefined

  function tellUnreadable (error: unknown, text: string): void {
    if (unreadable !== text) logger.warn({ err: error, ...store.where }, 'observations of a replica not readable: left out')
    unreadable = text
  }

  async function exchange (atOnce: boolean): Promise<void> {
    if (isResetWanted) {
      await store.resetDrift()
      isResetWanted = false
    }
    const merge = leads() ? (kept: readonly KeptText[]): string => formatObservations(observed.merge(readKept(kept, tellUnreadable))) : undefined
    const { others, forget } = await store.exchange(formatObservations(observed.keep()), { atOnce, merge })
    if (forget === undefined) {
      observed.heard(readKept(others, tellUnreadable))
      return
    }
    observed.forget(forget)
    if (forget === 'drift') logger.info('drift reset')
    await exchange(true)
  }

  async function save (atOnce: boolean): Promise<void> {
    try {
      await exchange(atOnce)
      isFailing = false
    } catch (error) {
      if (!isFailing) logger.warn({ err: error, ...storageFields(error), ...store.where }, 'observations not kept')
      isFailing = true
      observed.heard(undefined)
    }
  }

  function onFailure (error: unknown): void {
    logger.error({ err: error }, 'observations failed')
  }

  const kept = keepUp({ save, everyMs: store.everyMs, onFailure })
  return {
    ...kept,
    start () {
      kept.start()
      // What others have noticed is known from the beginning.
      kept.look().catch(onFailure)
    },
    resetDrift () {
      isResetWanted = true
      observed.forget('drift')
      // Nobody has to wait for the disk.
      kept.save().catch(onFailure)
    },
    async close () {
      await kept.close()
      await within(CLOSE_LIMIT_MS, store.close())
    }
  }
}
