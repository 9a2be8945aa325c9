import { hash } from 'node:crypto'

const BLOCK_BYTES = 64
const DIGEST_BYTES = 32
const INNER_PAD = 0x36
const OUTER_PAD = 0x5C

/**
 * Computes HMAC-SHA256 (RFC 2104) from two one-shot hashes. Node's own HMAC objects burden the garbage collector, which costs a server more
 * than the hashing itself.
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
