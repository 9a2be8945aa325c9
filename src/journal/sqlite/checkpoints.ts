/** Estimated bytes written to the write-ahead log between two checkpoints: some 1000 pages. */
const EVERY_BYTES = 2.5 * 1024 * 1024
/** Estimated bytes that a delivery adds to its body: its record, and the pages of indexes that change with it. */
const RECORD_BYTES = 4096

export interface Checkpoints {
  /** Notes that bodies of these sizes, in bytes, are in the write-ahead log now. */
  readonly logged: (bodyBytes: readonly number[]) => void
}

/**
 * Has the write-ahead log copied into the database while webhooks are stored. A commit that finds the log too long copies it before it
 * returns, and all its appends wait for that. Earlier checkpoints leave it less to copy.
 * @param onDefect called when a checkpoint rejects, which it must not
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
