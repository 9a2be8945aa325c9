import { randomFillSync } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'

const RANDOM_BYTES = 16
/** Ids for which randomness is asked for at once: each asking takes longer than making the id. */
const POOLED = 256

/**
 * Makes ids that sort by the time at which they were made, those of one millisecond among themselves too: UUIDs version 7
 * (RFC 9562), with a counter that begins at random each millisecond.
 */
export function createNewId (now: () => number): () => string {
  const pool = Buffer.alloc(RANDOM_BYTES * POOLED)
  let used = pool.byteLength
  let msecs = -Infinity
  let seq = 0
  return () => {
    if (used === pool.byteLength) {
      randomFillSync(pool)
      used = 0
    }
    const random = pool.subarray(used, used + RANDOM_BYTES)
    used += RANDOM_BYTES
    const time = now()
    if (time > msecs) {
      msecs = time
      // Without its highest bit, so that there is room to count.
      seq = random.readUInt32BE(0) >>> 1
    } else {
      seq = (seq + 1) >>> 0
    }
    return uuidv7({ random, msecs, seq })
  }
}
