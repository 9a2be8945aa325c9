import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { Problem } from '../errors/problem.js'

export interface BodyReaderOptions {
  /** The largest body. */
  readonly limitBytes: number
  /** How much of all bodies together may have arrived that are not whole yet. */
  readonly arrivingBytes: number
}

/** Reads a body as it came. Calls `done` once, with a {Problem} BODY_TOO_LARGE, BODIES_TOO_MANY or BAD_REQUEST where it fails. */
export type ReadBody = (request: Readable & Pick<IncomingMessage, 'headers'>, done: (problem: Problem | null, body?: Uint8Array) => void) => void

interface Arriving {
  readonly giveUp: () => void
}

const EMPTY = Buffer.alloc(0)
/** Each piece costs some microseconds, however small it is: a body may have so many, and one more for each so many bytes. */
const SMALL_PIECES = 1000
const USUAL_PIECE_BYTES = 64
/** In seconds. What stalls is cut off after ten. */
const RETRY_AFTER = '5'

/**
 * Makes the reader of bodies. What is not whole yet is bounded over all of them: beyond that, the one that began first is refused, so that
 * bodies that stall push out one another, and not the sender's, which arrive at once.
 */
export function createBodyReader ({ limitBytes, arrivingBytes }: BodyReaderOptions): ReadBody {
  /** The one that began first comes first. */
  const arriving = new Set<Arriving>()
  let arrived = 0

  return (request, done) => {
    const announced = Number(request.headers['content-length'] ?? Number.NaN)
    if (announced > limitBytes) {
      done(tooLarge())
      return
    }
    // One buffer that grows: as many small ones as there are chunks would take a hundred times what is in them.
    let buffer = EMPTY
    let length = 0
    let pieces = 0
    const self: Arriving = { giveUp () { finish(new Problem('BODIES_TOO_MANY', { detail: 'Too much is being received at once. Send it again later.', headers: { 'retry-after': RETRY_AFTER } })) } }

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
      // Most bodies come in one piece: they are whole before anything else is read.
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
      finish(new Problem('BAD_REQUEST', { detail: 'The request broke off.', cause: error }))
    }

    function finish (problem: Problem | null): void {
      request.off('data', onData).off('end', onEnd).off('error', onError)
      arriving.delete(self)
      arrived -= buffer.length
      const body = buffer.subarray(0, length)
      // What is refused may be referred to for a while still.
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
