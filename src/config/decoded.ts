/**
 * The result of reading a variable's text: a value, or a reason. The reason says what is wrong and what to do, in words that can follow the
 * variable's name.
 */
export type Decoded<T = unknown> =
  | { readonly ok: true, readonly value: T }
  | { readonly ok: false, readonly reason: string }

export function accepted<T> (value: T): Decoded<T> {
  return { ok: true, value }
}

export function refused (reason: string): Decoded<never> {
  return { ok: false, reason }
}
