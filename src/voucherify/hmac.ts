import { hash } from 'node:crypto'

const BLOCK_BYTES = 64
const DIGEST_BYTES = 32
const INNER_PAD = 0x36
const OUTER_PAD = 0x5C

/**
 * HMAC-SHA256 (RFC 2104). Two hashes in one call each: the object that Node makes for an HMAC is looked after by the collector of
 * garbage, and that costs a server more than the hashing does.
 */
export function hmacSha256 (key: Uint8Array, bytes: Uint8Array): Buffer {
  const block = key.byteLength > BLOCK_BYTES ? hash('sha256', key, 'buffer') : key
  const inner = Buffer.allocUnsafe(BLOCK_BYTES + bytes.byteLength)
  const outer = Buffer.allocUnsafe(BLOCK_BYTES + DIGEST_BYTES)
  for (let at = 0; at < BLOCK_BYTES; at++) {
    const byte = block[at] ?? 0
    inner[at] = byte ^ INNER_PAD
    outer[at] = byte ^ OUTER_PAD
  }
  inner.set(bytes, BLOCK_BYTES)
  outer.set(hash('sha256', inner, 'buffer'), BLOCK_BYTES)
  return hash('sha256', outer, 'buffer')
}
