import type { Socket } from 'node:net'

/** The status line of an interim answer. 101 is none: what comes after it is not HTTP any more (RFC 9110, section 15.2.2). */
const INTERIM = /^HTTP\/1\.[01] 1(?!01)\d\d[ \r]/
/** A status line that fits, to complete with it one that is not all there yet. */
const FITTING = 'HTTP/1.1 100 '
const NOTHING = Buffer.alloc(0)
/** How many bytes of interim answers are left out before one final answer. What comes after them goes through, and fails. */
const LIMIT_BYTES = 16_384

/**
 * Leaves out the interim answers (1xx) that a connection gets before its final ones, such as an unasked 100 (Continue). They
 * decide nothing, and a client must be able to read past them (RFC 9110, section 15.2). undici closes the connection at a 100.
 */
export function skipInterim (socket: Socket): void {
  const push = socket.push.bind(socket)
  /** How many bytes had been written when the answer began that is being read. */
  let answeredAt = -1
  let skippedBytes = 0
  /** The beginning of an answer of which it is not known yet what it is. */
  let held: Buffer = NOTHING

  function takeHeld (): Buffer {
    const rest = held
    held = NOTHING
    skippedBytes = 0
    return rest
  }

  // It gets what is read before the stream has it. undici writes no request before it has read the answer to the one before.
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

/** Where the interim answer ends that the bytes begin with: 0 where they begin with something else, `undefined` where that is not known yet. */
function interimEnd (bytes: Buffer): number | undefined {
  const line = bytes.toString('latin1', 0, FITTING.length)
  if (!INTERIM.test(line + FITTING.slice(line.length))) return 0
  const end = bytes.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  // Ends of lines of another kind are a fault, and could hide the final answer.
  return /(?<!\r)\n/.test(bytes.toString('latin1', 0, end)) ? 0 : end + 4
}
