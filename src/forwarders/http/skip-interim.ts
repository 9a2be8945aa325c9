import type { Socket } from 'node:net'

/** The status line of an interim answer. 101 does not count, because the bytes after it are not HTTP (RFC 9110, section 15.2.2). */
const INTERIM = /^HTTP\/1\.[01] 1(?!01)\d\d[ \r]/
/** A matching status line. It completes one that has arrived only in part. */
const FITTING = 'HTTP/1.1 100 '
const NOTHING = Buffer.alloc(0)
/** How many bytes of interim answers are skipped before one final answer. Further ones go through to the client, which fails. */
const LIMIT_BYTES = 16_384

/**
 * Skips the interim answers (1xx) that arrive before the final answer of a connection, such as an unexpected 100 (Continue). They decide
 * nothing, and a client must be able to read past them (RFC 9110, section 15.2). undici closes the connection at a 100.
 */
export function skipInterim (socket: Socket): void {
  const push = socket.push.bind(socket)
  /** The value of `bytesWritten` when the current final answer began. */
  let answeredAt = -1
  let skippedBytes = 0
  /** The bytes of an answer whose kind is not yet known. */
  let held: Buffer = NOTHING

  function takeHeld (): Buffer {
    const rest = held
    held = NOTHING
    skippedBytes = 0
    return rest
  }

  // `push` gets the bytes before the stream does. undici writes a request only after the previous answer, so new bytes written mean a new answer.
  socket.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (!(chunk instanceof Buffer)) {
      if (held.length > 0) push(takeHeld())
      return push(chunk, encoding)
    }
    const written = socket.bytesWritten
    if (written === answeredAt) return push(chunk)
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    for (;;) {
      const end = interimEnd(held)
      if (end === 0 || skippedBytes + (end ?? held.length) > LIMIT_BYTES) break
      if (end === undefined) return true
      held = held.subarray(end)
      skippedBytes += end
    }
    answeredAt = written
    return push(takeHeld())
  }
}

/** Returns where the interim answer at the beginning of the bytes ends; 0 if they begin with another answer, `undefined` if not yet known. */
function interimEnd (bytes: Buffer): number | undefined {
  const line = bytes.toString('latin1', 0, FITTING.length)
  if (!INTERIM.test(line + FITTING.slice(line.length))) return 0
  const end = bytes.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  // Other line ends are malformed, and could hide the final answer.
  return /(?<!\r)\n/.test(bytes.toString('latin1', 0, end)) ? 0 : end + 4
}
