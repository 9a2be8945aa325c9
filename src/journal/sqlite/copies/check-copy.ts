import { setImmediate as turn } from 'node:timers/promises'
import { StoreError } from '../../../delivery/operator.js'
import type { Connection } from '../database.js'
import { lastSequence } from '../operator/forwarders.js'
import { checkFiles, verify } from '../operator/verify.js'

/** The progress of a backup or a restore: first the pages copied, then the deliveries checked. */
export interface CopyProgress {
  readonly phase: 'copying' | 'checking'
  readonly done: number
  readonly of: number
}

export interface CopyOptions {
  readonly onProgress?: ((progress: CopyProgress) => void) | undefined
  /** Aborting it ends the work, which then rejects with the signal's reason and leaves nothing behind. */
  readonly signal?: AbortSignal | undefined
}

export interface CheckedCopy {
  /** How many deliveries were checked. */
  readonly deliveries: number
  /** The sequences of damaged records. */
  readonly damaged: readonly number[]
}

/** Records per turn of the event loop. */
const STEP = 500

/**
 * Checks a copy that nothing else uses: the structure of its file, and the checksum of every record.
 * @throws {StoreError} if the structure is damaged
 */
export async function checkCopy (db: Connection, from: string, { onProgress, signal }: CopyOptions): Promise<CheckedCopy> {
  const [complaint] = checkFiles(db)
  if (complaint !== undefined) {
    throw new StoreError('STORE_DAMAGED', `The copy of ${from} is damaged (${complaint}) and was removed: "tierhook verify --full" tells whether ${from} is damaged itself`)
  }
  const last = lastSequence(db)
  const damaged: number[] = []
  let deliveries = 0
  for (let after = 0, done = false; !done;) {
    signal?.throwIfAborted()
    const step = verify(db, { after, limit: STEP })
    deliveries += step.checked
    damaged.push(...step.damaged.map(({ sequence }) => sequence))
    after = step.upTo
    done = step.done
    onProgress?.({ phase: 'checking', done: after, of: last })
    await turn()
  }
  return { deliveries, damaged }
}
