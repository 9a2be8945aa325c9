export interface Address {
  readonly address: string
  readonly family: 4 | 6
}

export interface Found {
  /** At least one, in the order in which they are tried. */
  readonly addresses: readonly Address[]
  /** How long they may be used without asking again, in milliseconds. */
  readonly freshMs: number
}

/**
 * Finds the addresses of a name. When `signal` aborts, nobody waits any longer.
 * @throws {Error} with the code `ENOTFOUND` where there is certainly no such name, and any other where that is not known
 */
export type LookUp = (name: string, signal: AbortSignal) => Promise<Found>

/** Whether a look-up failed because there is no such name. */
export function isNotFound (error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOTFOUND'
}
