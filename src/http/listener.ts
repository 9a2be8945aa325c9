import { lookup } from 'node:dns/promises'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { FastifyBaseLogger, FastifyServerOptions } from 'fastify'
import { systemClock } from '../delivery/clock.js'
import type { Problem } from '../errors/problem.js'
import { createClientErrors } from './client-errors.js'
import { CONNECTION_LIMITS, createConnections, type ConnectionLimits } from './connections.js'
import { createRefusalLog, type RefusalLog } from './refusal-log.js'

export interface ListenerLimits {
  /** How long a request may take to arrive, in milliseconds. If absent, 10 s. */
  readonly requestTimeoutMs?: number
  readonly connections?: ConnectionLimits
}

export interface ListenerOptions extends ListenerLimits {
  readonly logger: FastifyBaseLogger
  /** Called with each answer to bytes that could not be read as a request. */
  readonly onClientError?: (problem: Problem) => void
}

/** The limits of time, size and number that the public and the operator's listener share, and their log of refusals. */
export interface Listener {
  /** Options for Fastify. */
  readonly serverOptions: Pick<FastifyServerOptions, 'requestTimeout' | 'keepAliveTimeout' | 'clientErrorHandler'> & { readonly http: object }
  readonly watch: (server: Server) => void
  readonly mayLog: RefusalLog['mayLog']
  /** Makes this answer the last one on its connection. Must be called before it is sent. */
  readonly endAfter: (request: IncomingMessage, response: ServerResponse) => void
  /** Resolves when all connections that are open now have closed, or after `limitMs` milliseconds. */
  readonly closed: (limitMs: number) => Promise<void>
  /** To be called after the server is closed. */
  readonly close: () => void
}

/** The sender gives up after 10 s, so it would not see the answer to a slower request. */
const REQUEST_TIMEOUT_MS = 10_000
/** Longer than the 60 s for which common load balancers keep an idle connection, so that the balancer closes it first. */
const KEEP_ALIVE_TIMEOUT_MS = 72_000

export function createListener ({ logger, onClientError, requestTimeoutMs = REQUEST_TIMEOUT_MS, connections: limits = CONNECTION_LIMITS }: ListenerOptions): Listener {
  const refusals = createRefusalLog({ logger, monotonic: systemClock.monotonic })
  const connections = createConnections(limits, (address) => {
    if (refusals.mayLog({ code: 'CONNECTION_CLOSED', address })) logger.warn({ sourceAddress: address ?? null }, 'connection closed to make room for another')
  })
  const clientErrors = createClientErrors({ logger, mayLog: refusals.mayLog, hasEnded: connections.hasEnded, onAnswer: onClientError })
  return {
    serverOptions: {
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      http: {
        // If the headers may take longer than the whole request, node swaps the two limits.
        headersTimeout: requestTimeoutMs,
        // Node looks for overdue requests every 30 s by default, so that 10 s could become 40 s.
        connectionsCheckingInterval: Math.ceil(requestTimeoutMs / 10),
        // Otherwise node itself answers a request without a Host header, and not with a problem.
        requireHostHeader: false
      },
      clientErrorHandler: clientErrors.answer
    },
    watch (server) {
      clientErrors.watch(server)
      // tierhook supports no upgrades, and node drops the bytes that follow such a request. Close the connection, so that no client waits for an
      // answer to a dropped request, and no request is read from its middle.
      server.prependListener('request', (request, response) => { if (request.headers.upgrade !== undefined) response.setHeader('connection', 'close') })
      connections.watch(server)
      // An unknown expectation may be ignored (RFC 9110, section 10.1.1). Otherwise node answers 417 itself.
      server.on('checkExpectation', (request, response) => { server.emit('request', request, response) })
    },
    mayLog: refusals.mayLog,
    endAfter: connections.endAfter,
    closed: connections.closed,
    close: refusals.close
  }
}

/**
 * Returns the address to listen on. For `localhost` Fastify would open a server for each of its addresses but configure only one of them, so the
 * others would have none of our limits. So one address is used, the IPv4 one if there are both.
 * @throws what `lookup` rejects with, if this machine has no `localhost`
 */
export async function listenAddress (host: string): Promise<string> {
  if (host.toLowerCase() !== 'localhost') return host
  return (await lookup(host, { order: 'ipv4first' })).address
}
