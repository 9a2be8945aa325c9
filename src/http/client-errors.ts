import { STATUS_CODES, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyBaseLogger } from 'fastify'
import { Problem } from '../errors/problem.js'
import { PROBLEM_TYPE, problemBody } from './problem-answer.js'
import type { RefusalLog } from './refusal-log.js'

/** Answers what node's HTTP parser could not read, for which there is no request to reply to. */
export interface ClientErrors {
  /** Takes note of the requests that arrive, so that an answer under way is not overtaken. */
  readonly watch: (server: Server) => void
  readonly answer: (error: Error & { code?: string }, socket: Socket) => void
}

export interface ClientErrorOptions {
  readonly logger: FastifyBaseLogger
  readonly mayLog: RefusalLog['mayLog']
  /** Whether the last request of a connection has been read, so that what comes behind it is none. */
  readonly hasEnded: (socket: Socket) => boolean
  /** Told of each answer. */
  readonly onAnswer?: ((problem: Problem) => void) | undefined
}

export function createClientErrors ({ logger, mayLog, hasEnded, onAnswer }: ClientErrorOptions): ClientErrors {
  const latest = new WeakMap<Socket, ServerResponse>()
  const failed = new WeakSet<Socket>()
  return {
    watch (server) {
      server.on('request', (request, response) => { latest.set(request.socket, response) })
    },

    answer (error, socket) {
      const response = latest.get(socket)
      // The parser reports each further piece that it can't read, and what is in its way behind the last request.
      if (failed.has(socket) || (hasEnded(socket) && isBehind(error, response))) return
      failed.add(socket)
      if (error.code === 'ECONNRESET' || !socket.writable) {
        socket.destroy()
        return
      }
      const problem = problemOf(error)
      const address = socket.remoteAddress
      if (mayLog({ code: problem.code, address })) {
        logger.warn({ code: problem.code, status: problem.status, sourceAddress: address ?? null, reason: error.code ?? null }, 'request not understood')
      }
      onAnswer?.(problem)
      const whole = response?.req.complete ?? true
      if (response === undefined || (whole && response.writableFinished)) {
        write(socket, problem)
      } else if (whole) {
        // The refusal would be read as the answer to a webhook that is being stored.
        response.once('close', () => { write(socket, problem) })
      } else if (response.socket === socket && !response.headersSent) {
        write(socket, problem)
      } else {
        // That request has its answer, or must wait for that of an earlier one: there is no place for another.
        socket.destroy()
      }
    }
  }
}

/** Whether what cannot be read is no part of the request any more that came last. */
function isBehind ({ code = '' }: Error & { code?: string }, latest: ServerResponse | undefined): boolean {
  return code.startsWith('HPE_') && latest !== undefined && (latest.req.complete || latest.headersSent)
}

function problemOf (error: Error & { code?: string }): Problem {
  switch (error.code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT': return new Problem('REQUEST_TIMEOUT', { detail: 'The request took too long to arrive.' })
    case 'HPE_HEADER_OVERFLOW': return new Problem('HEADERS_TOO_LARGE', { detail: 'The request headers are too large.' })
    default: return new Problem('BAD_REQUEST', { detail: 'The request is not HTTP/1.1.' })
  }
}

function write (socket: Socket, problem: Problem): void {
  if (!socket.writable) return
  const body = JSON.stringify(problemBody(problem))
  socket.end([
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    '',
    body
  ].join('\r\n'))
}
