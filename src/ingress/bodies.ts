import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { Problem } from '../errors/problem.js'

export interface BodyReaderOptions {
  /** The largest body, in bytes. */
  readonly limitBytes: number
  /** The most bytes of incomplete bodies that may have arrived, over all requests. */
  readonly arrivingBytes: number
}

/** Reads a body as bytes. Calls `done` once; if reading fails, with a {Problem} BODY_TOO_LARGE, BODIES_TOO_MANY or BAD_REQUEST. */
export type ReadBody = (request: Readable & Pick<IncomingMessage, 'headers'>, done: (problem: Problem | null, body?: Uint8Array) => void) => void

interface Arriving {
  readonly giveUp: () => void
}

const EMPTY = Buffer.alloc(0)
/** Each chunk takes some microseconds, however small it is. So a body may have this many chunks, and one more for each `USUAL_PIECE_BYTES`. */
const SMALL_PIECES = 1000
const USUAL_PIECE_BYTES = 64
/** In seconds. A body that stalls is cut off after ten. */
const RETRY_AFTER = '5'

/**
 * Makes the reader of bodies, which limits the bytes of all incomplete bodies together. Above the limit, the body that began first is refused.
 * So bodies that stall push each other out, but not the sender's, which arrive at once.
 */
export function createBodyReader ({ limitBytes, arrivingBytes }: BodyReaderOptions): ReadBody {
  /** In the order in which the bodies began. */
  const arriving = new Set<Arriving>()
  let arrived = 0

  return (request, done) => {
    const announced = Number(request.headers['content-length'] ?? Number.NaN)
    if (announced > limitBytes) {
      done(tooLarge())
      return
    }
    // One buffer that grows. A buffer for each small chunk would take a hundred times the size of the data.
    let buffer = EMPTY
    let length = 0
    let pieces = 0
    const self: Arriving = { giveUp () { finish(new Problem('BODIES_TOO_MANY', { detail: 'Too many request bodies are arriving at once. Send the webhook again later.', headers: { 'retry-after': RETRY_AFTER } })) } }

    function onData (chunk: Buffer): void {
      const needed = length + chunk.length
      if (needed > limitBytes) {
        finish(tooLarge())
        return
      }
      if (++pieces > SMALL_PIECES + needed / USUAL_PIECE_BYTES) {
        finish(new Problem('BAD_REQUEST', { detail: 'The body comes in too many small chunks.' }))
        return
      }
      if (needed > buffer.length) grow(needed)
      chunk.copy(buffer, length)
      length = needed
      // Most bodies arrive in one chunk and are complete here.
      if (length === announced) return
      arriving.add(self)
      for (const oldest of arriving) {
        if (arrived <= arrivingBytes) return
        oldest.giveUp()
      }
    }

    function grow (needed: number): void {
      const room = length === 0 ? needed : Math.max(needed, Math.min(2 * buffer.length, limitBytes))
      arrived += room - buffer.length
      const larger = Buffer.allocUnsafe(room)
      buffer.copy(larger, 0, 0, length)
      buffer = larger
    }

    function onEnd (): void {
      finish(null)
    }

    function onError (error: Error): void {
      finish(new Problem('BAD_REQUEST', { detail: 'The connection closed before the whole body arrived.', cause: error }))
    }

    function finish (problem: Problem | null): void {
      request.off('data', onData).off('end', onEnd).off('error', onError)
      arriving.delete(self)
      arrived -= buffer.length
      const body = buffer.subarray(0, length)
      // The request may be referred to for a while, so free the memory of a refused body.
      buffer = EMPTY
      if (problem === null) done(null, body)
      else done(problem)
    }

    request.on('data', onData).on('end', onEnd).on('error', onError)
  }
}

function tooLarge (): Problem {
  return new Problem('BODY_TOO_LARGE', { detail: 'The body is larger than BODY_LIMIT_BYTES.' })
}
