import { appendFile, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { tellApart } from '../../errors/storage-cause.js'

/**
 * Ids of deliveries that were refused while their commit was under way. Nobody knows then whether they get to the disk, so
 * they are written down before the refusal is answered, and removed from the journal before anybody reads it. What is written
 * here outlives the process. It is not synced: where a disk has stopped answering, a power cut then may leave a refused
 * delivery in the journal.
 */
export interface Withdrawals {
  /** Never fails: a disk that does not take this is reported, and the refusal is given all the same. */
  readonly record: (ids: readonly string[]) => Promise<void>
  /** To be called once all of them are removed from the journal for good. Never fails. */
  readonly clear: () => Promise<void>
  readonly read: () => Promise<readonly string[]>
}

export function createWithdrawals (dataDir: string, onError: (error: unknown) => void): Withdrawals {
  const path = join(dataDir, 'withdrawn')
  let last: Promise<void> = Promise.resolve()

  /** One after another, so that what is recorded after a removal began is not removed by it. */
  function next (work: () => Promise<void>): Promise<void> {
    last = last.then(work).catch(async (error: unknown) => { onError(await tellApart(error, dataDir)) })
    return last
  }

  return {
    record: async (ids) => await next(async () => { await appendFile(path, ids.map((id) => `${id}\n`).join('')) }),
    clear: async () => await next(async () => { await rm(path, { force: true }) }),
    async read () {
      try {
        return (await readFile(path, 'utf8')).split('\n').filter((id) => id !== '')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
        throw error
      }
    }
  }
}
