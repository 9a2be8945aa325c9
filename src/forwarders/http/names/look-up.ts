export interface Address {
  readonly address: string
  readonly family: 4 | 6
}

export interface Found {
  /** At least one, in the order in which to try them. */
  readonly addresses: readonly Address[]
  /** How long the addresses may be used without another look-up, in milliseconds. */
  readonly freshMs: number
}

/**
 * Finds the addresses of a name. When `signal` aborts, the result is no longer needed.
 * @throws {Error} with the code `ENOTFOUND` if the name certainly does not exist, and with any other code if that is unknown
 */
export type LookUp = (name: string, signal: AbortSignal) => Promise<Found>

/** Whether a look-up failed because there is no such name. */
export function isNotFound (error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOTFOUND'
}
