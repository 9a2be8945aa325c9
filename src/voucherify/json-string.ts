/** The quotation mark that opens and closes a JSON string. */
export const QUOTE = 0x22
const BACKSLASH = 0x5C

/** The index of the quote that closes the string opened at `start`; the last index where none does. */
export function stringEnd (bytes: Uint8Array, start: number): number {
  let at = start + 1
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1
  return Math.min(at, bytes.length - 1)
}
