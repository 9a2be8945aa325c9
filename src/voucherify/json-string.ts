/** The quotation mark that opens and closes a JSON string. */
export const QUOTE = 0x22
const BACKSLASH = 0x5C

/** The index of the quote that closes the string opened at `start`; the last index where none does. */
export function stringEnd (bytes: Uint8Array, start: number): number {
  for (let at = start + 1; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === QUOTE) return at
    if (byte === BACKSLASH) at++
  }
  return bytes.length - 1
}
