import { STATUS_CODES, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyBaseLogger } from 'fastify'
import { Problem } from '../errors.js'
import { PROBLEM_TYPE, problemBody } from './problem-answer.js'

/** Answers what node's HTTP parser could not read, for which there is no request to reply to. */
export interface ClientErrors {
  /** Takes note of the requests that arrive, so that an answer under way is not overtaken. */
  readonly watch: (server: Server) => void
  readonly answer: (error: Error & { code?: string }, socket: Socket) => void
}

/** @param onAnswer told of each answer */
export function createClientErrors (logger: FastifyBaseLogger, onAnswer?: (problem: Problem) => void): ClientErrors {
  const latest = new WeakMap<Socket, ServerResponse>()
  const failed = new WeakSet<Socket>()
  return {
    watch (server) {
      server.on('request', (request, response) => { latest.set(request.socket, response) })
    },

    answer (error, socket) {
      // The parser reports each further piece that it can't read.
      if (failed.has(socket)) return
      failed.add(socket)
      if (error.code === 'ECONNRESET' || !socket.writable) {
        socket.destroy()
        return
      }
      const problem = problemOf(error)
      logger.warn({ code: problem.code, status: problem.status, sourceAddress: socket.remoteAddress ?? null, reason: error.code ?? null }, 'request not understood')
      onAnswer?.(problem)
      const response = latest.get(socket)
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
