import { within } from '../delivery/within.js'

/** How long stopping waits for a disk that hangs, in milliseconds. */
const LAST_SAVE_LIMIT_MS = 500

export interface RegularSavesOptions {
  /** Saves the present state. `atOnce`: a caller asked for it, and it is not one of the regular saves. */
  readonly save: (atOnce: boolean) => Promise<void>
  readonly everyMs: number
  /** Called with errors that indicate a bug. */
  readonly onFailure: (error: unknown) => void
}

export interface RegularSaves {
  /** Saves now. Resolves when the present state is saved. */
  readonly save: () => Promise<void>
  /** The same as a regular save. */
  readonly look: () => Promise<void>
  /** Saves at intervals, until `close`. */
  readonly start: () => void
  /** Saves a last time, if it was started. Idempotent. */
  readonly close: () => Promise<void>
}

/** Saves at intervals, one save after another. */
export function saveRegularly ({ save, everyMs, onFailure }: RegularSavesOptions): RegularSaves {
  let timer: NodeJS.Timeout | undefined
  let underWay: Promise<void> | undefined
  let closing: Promise<void> | undefined

  async function saveNext (atOnce: boolean): Promise<void> {
    // A running save may have begun before the change that this call is to save, so wait for it.
    await underWay?.catch(() => { /* The caller that began it gets the error. */ })
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
        // Do not write before start: the data folder may belong to another process.
        if (timer === undefined) return
        clearInterval(timer)
        await within(LAST_SAVE_LIMIT_MS, saveNext(true))
      })()
      await closing
    }
  }
}
