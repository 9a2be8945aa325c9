import type { Logger } from 'pino'
import { within } from '../delivery/within.js'
import { saveRegularly, type RegularSaves } from '../kept-file/save-regularly.js'
import { storageFields } from '../errors/storage-cause.js'
import { formatObservations, parseObservations, type Observations } from './observations.js'
import type { KeptText, ObservationsStore } from './observations-store.js'
import type { Observed } from './observed.js'

export interface KeepObservationsOptions {
  readonly store: ObservationsStore
  readonly observed: Pick<Observed, 'keep' | 'heard' | 'forget' | 'merge'>
  /** Whether this replica merges the observations of replicas that are gone. */
  readonly leads: () => boolean
  readonly logger: Logger
}

export interface KeptObservations extends RegularSaves {
  /** Forgets drift, here at once and at the other replicas soon. */
  readonly resetDrift: () => void
}

/** How long stopping waits for connections that do not close, in milliseconds. */
const CLOSE_LIMIT_MS = 500
const NO_DRIFT = { differences: [], dropped: 0 }

/** Parses kept observations. Drift that was reset since is left out, and so are texts that cannot be parsed. */
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

/** Keeps this replica's observations for the next run and for other replicas, and reads those of the others. */
export function keepObservations ({ store, observed, leads, logger }: KeepObservationsOptions): KeptObservations {
  let isResetWanted = false
  let isFailing = false
  let unreadable: string | undefined

  function logUnreadable (error: unknown, text: string): void {
    if (unreadable !== text) logger.warn({ err: error, ...store.where }, 'observations of a replica not readable: left out')
    unreadable = text
  }

  async function exchange (atOnce: boolean): Promise<void> {
    if (isResetWanted) {
      await store.resetDrift()
      isResetWanted = false
    }
    const merge = leads() ? (kept: readonly KeptText[]): string => formatObservations(observed.merge(readKept(kept, logUnreadable))) : undefined
    const { others, forget } = await store.exchange(formatObservations(observed.keep()), { atOnce, merge })
    if (forget === undefined) {
      observed.heard(readKept(others, logUnreadable))
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

  const kept = saveRegularly({ save, everyMs: store.everyMs, onFailure })
  return {
    ...kept,
    start () {
      kept.start()
      // Read what other replicas have observed at once.
      kept.look().catch(onFailure)
    },
    resetDrift () {
      isResetWanted = true
      observed.forget('drift')
      // The caller need not wait for the disk.
      kept.save().catch(onFailure)
    },
    async close () {
      await kept.close()
      await within(CLOSE_LIMIT_MS, store.close())
    }
  }
}
