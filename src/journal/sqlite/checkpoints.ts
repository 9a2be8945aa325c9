/** How much goes to the write-ahead log between two checkpoints, in bytes, as far as it can be told from outside: some 1000 pages. */
const EVERY_BYTES = 2.5 * 1024 * 1024
/** What each delivery adds to its body: its record, and the pages of indexes that change with it. */
const RECORD_BYTES = 4096

export interface Checkpoints {
  /** Tells of bodies that are in the write-ahead log now, by their sizes in bytes. */
  readonly logged: (bodyBytes: readonly number[]) => void
}

/**
 * Has the write-ahead log copied into the database while webhooks are stored. A commit that finds the log too long copies it
 * before it returns, and all who wait for it wait for that too: the less is left for it to copy, the shorter.
 * @param onDefect told of a checkpoint that rejects, which it must not
 */
export function createCheckpoints (checkpoint: () => Promise<void>, onDefect: (error: unknown) => void): Checkpoints {
  let bytes = 0
  let isRunning = false
  return {
    logged (bodyBytes) {
      for (const each of bodyBytes) bytes += each + RECORD_BYTES
      if (bytes < EVERY_BYTES || isRunning) return
      bytes = 0
      isRunning = true
      checkpoint().finally(() => { isRunning = false }).catch(onDefect)
    }
  }
}
