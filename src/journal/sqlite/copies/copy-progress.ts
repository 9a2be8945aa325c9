/** How far a backup or a restore has come: pages that are copied, then deliveries that are checked. */
export interface CopyProgress {
  readonly phase: 'copying' | 'checking'
  readonly done: number
  readonly of: number
}

export interface CopyOptions {
  readonly onProgress?: ((progress: CopyProgress) => void) | undefined
  /** Aborting it ends the work, which then rejects with its reason and leaves nothing behind. */
  readonly signal?: AbortSignal | undefined
}
