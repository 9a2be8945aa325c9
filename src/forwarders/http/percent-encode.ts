const SAFE_IN_HEADER = /^[\x21\x23\x24\x26-\x7E]*$/

/** Replaces each match of `unsafe` with its percent-encoded UTF-8 bytes. */
function percentEncode (text: string, unsafe: RegExp): string {
  return text.replace(unsafe, (part) => [...Buffer.from(part)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''))
}

/**
 * Encodes a text for a header. Spaces, quotation marks, percent signs and everything except visible ASCII are encoded
 * (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md#3132-http-header-values).
 */
export function headerText (text: string): string {
  return SAFE_IN_HEADER.test(text) ? text : percentEncode(text, /[^\x21\x23\x24\x26-\x7E]+/g)
}

/** Encodes a text as a segment of a URI's path (RFC 3986, section 2.3). */
export function uriSegment (text: string): string {
  return percentEncode(text, /[^A-Za-z0-9._~-]+/g)
}
