import { randomFillSync } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'

const RANDOM_BYTES = 16
/** The number of ids for which random bytes are drawn at once. Drawing bytes takes longer than making an id. */
const POOLED = 256

/**
 * Returns a function that makes UUIDs version 7 (RFC 9562). They sort by the time at which they were made. Within one millisecond, a counter
 * keeps the order; it begins at a random number each millisecond.
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
      // Clear the highest bit, so that the counter has room to count up.
      seq = random.readUInt32BE(0) >>> 1
    } else {
      seq = (seq + 1) >>> 0
    }
    return uuidv7({ random, msecs, seq })
  }
}
