/** What came of reading a variable's text: a value, or what is wrong and what to do, in words that follow "it". */
export type Decoded =
  | { readonly ok: true, readonly value: unknown }
  | { readonly ok: false, readonly reason: string }

export function accepted (value: unknown): Decoded {
  return { ok: true, value }
}

export function refused (reason: string): Decoded {
  return { ok: false, reason }
}
