const SAFE_IN_HEADER = /^[\x21\x23\x24\x26-\x7E]*$/

/** Writes what `unsafe` matches as the percent-encoded bytes of its UTF-8. */
function percentEncode (text: string, unsafe: RegExp): string {
  return text.replace(unsafe, (part) => [...Buffer.from(part)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''))
}

/**
 * A text as it can stand in a header: spaces, quotation marks, percent signs and all but visible ASCII are encoded
 * (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md#3132-http-header-values).
 */
export function headerText (text: string): string {
  return SAFE_IN_HEADER.test(text) ? text : percentEncode(text, /[^\x21\x23\x24\x26-\x7E]+/g)
}

/** A text as it can stand between two slashes of a URI (RFC 3986, section 2.3). */
export function uriSegment (text: string): string {
  return percentEncode(text, /[^A-Za-z0-9._~-]+/g)
}
