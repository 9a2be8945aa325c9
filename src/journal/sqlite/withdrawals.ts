import { appendFile, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { explainNoSpace } from '../../errors/storage-cause.js'

/**
 * Records the ids of deliveries that were refused while their commit was in progress. It is then unknown whether they reach the disk. So
 * their ids are recorded before the refusal is answered, and the next start removes them before anything reads the journal. The
 * record outlives the process. It is not synced: if a disk stops answering and the power fails, a refused delivery may stay in the journal.
 */
export interface Withdrawals {
  /** Never rejects: if the disk does not take the record, the error is reported, and the refusal is answered all the same. */
  readonly record: (ids: readonly string[]) => Promise<void>
  /** To be called when all of them are removed from the journal for good. Never rejects. */
  readonly clear: () => Promise<void>
  readonly read: () => Promise<readonly string[]>
}

export function createWithdrawals (dataDir: string, onError: (error: unknown) => void): Withdrawals {
  const path = join(dataDir, 'withdrawn')
  let last: Promise<void> = Promise.resolve()

  /** Runs one file operation after another, so that a removal does not remove ids recorded after it began. */
  function next (work: () => Promise<void>): Promise<void> {
    last = last.then(work).catch(async (error: unknown) => { onError(await explainNoSpace(error, dataDir)) })
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
