import { STATUS_CODES, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyBaseLogger } from 'fastify'
import { Problem } from '../errors/problem.js'
import { PROBLEM_TYPE, problemBody } from './problem-answer.js'
import type { RefusalLog } from './refusal-log.js'

/** Answers bytes that node's HTTP parser could not read. There is no request to reply to for them. */
export interface ClientErrors {
  /** Remembers the latest request of each connection, so that an error does not overtake an answer under way. */
  readonly watch: (server: Server) => void
  readonly answer: (error: Error & { code?: string }, socket: Socket) => void
}

export interface ClientErrorOptions {
  readonly logger: FastifyBaseLogger
  readonly mayLog: RefusalLog['mayLog']
  /** Whether the last request of a connection has been read. Bytes after it are not a request. */
  readonly hasEnded: (socket: Socket) => boolean
  /** Called with each answer. */
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
      // Ignore repeated errors: the parser reports every further piece that it cannot read, and also bytes that follow the last request.
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
        // Wait for the earlier answer. Otherwise the client would take this error as the answer to a webhook that is being stored.
        response.once('close', () => { write(socket, problem) })
      } else if (response.socket === socket && !response.headersSent) {
        write(socket, problem)
      } else {
        // That request has been answered, or must wait for the answer of an earlier one. There is no place for another answer.
        socket.destroy()
      }
    }
  }
}

/** Whether the unreadable bytes come after the latest request and are no part of it. */
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
