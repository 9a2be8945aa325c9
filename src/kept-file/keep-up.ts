import { within } from '../delivery/within.js'

/** How long stopping waits for a disk that does not answer. */
const LAST_SAVE_LIMIT_MS = 500

export interface KeepUpOptions {
  /** Saves what there is now. `atOnce`: it was asked for, and is not one of those that come now and then. */
  readonly save: (atOnce: boolean) => Promise<void>
  readonly everyMs: number
  /** Told what should not be able to happen. */
  readonly onFailure: (error: unknown) => void
}

export interface KeptUp {
  /** Resolves once what there is now has been saved. */
  readonly save: () => Promise<void>
  /** The same, as one of those that come now and then. */
  readonly look: () => Promise<void>
  /** Saves again and again, until `close`. */
  readonly start: () => void
  /** Saves a last time, if it was started. Idempotent. */
  readonly close: () => Promise<void>
}

/** Saves now and then, one save after the other. */
export function keepUp ({ save, everyMs, onFailure }: KeepUpOptions): KeptUp {
  let timer: NodeJS.Timeout | undefined
  let underWay: Promise<void> | undefined
  let closing: Promise<void> | undefined

  async function saveNext (atOnce: boolean): Promise<void> {
    // What is under way began before what is to be saved was noticed.
    await underWay?.catch(() => { /* Told to whoever began it. */ })
    underWay ??= save(atOnce).finally(() => { underWay = undefined })
    await underWay
  }

  return {
    save: async () => { await saveNext(true) },
    look: async () => { await saveNext(false) },
    start () {
      timer ??= setInterval(() => { saveNext(false).catch(onFailure) }, everyMs)
    },
    async close () {
      closing ??= (async () => {
        // Whoever has not started may be there by mistake, in the folder of another.
        if (timer === undefined) return
        clearInterval(timer)
        await within(LAST_SAVE_LIMIT_MS, saveNext(true))
      })()
      await closing
    }
  }
}
