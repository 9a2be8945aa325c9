import { lookup } from 'node:dns/promises'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { FastifyBaseLogger, FastifyServerOptions } from 'fastify'
import { systemClock } from '../delivery/clock.js'
import type { Problem } from '../errors/problem.js'
import { createClientErrors } from './client-errors.js'
import { CONNECTION_LIMITS, createConnections, type ConnectionLimits } from './connections.js'
import { createRefusalLog, type RefusalLog } from './refusal-log.js'

export interface ListenerLimits {
  /** How long a request may take to arrive, in milliseconds; 10 s where absent. */
  readonly requestTimeoutMs?: number
  readonly connections?: ConnectionLimits
}

export interface ListenerOptions extends ListenerLimits {
  readonly logger: FastifyBaseLogger
  /** Told of each answer to what is no request that could be read. */
  readonly onClientError?: (problem: Problem) => void
}

/** What the public listener and the operator's have in common: how long, how much and how many, and what is logged of refusals. */
export interface Listener {
  /** To be given to Fastify. */
  readonly serverOptions: Pick<FastifyServerOptions, 'requestTimeout' | 'keepAliveTimeout' | 'clientErrorHandler'> & { readonly http: object }
  readonly watch: (server: Server) => void
  readonly mayLog: RefusalLog['mayLog']
  /** Makes this answer the last one on its connection. To be called before it is sent. */
  readonly endAfter: (request: IncomingMessage, response: ServerResponse) => void
  /** Resolves once none of the connections is open any more that are now, and after so many milliseconds at the latest. */
  readonly closed: (limitMs: number) => Promise<void>
  /** To be called once the server is closed. */
  readonly close: () => void
}

/** The sender gives up on an answer after 10 s, so a request that takes longer to arrive is answered to nobody. */
const REQUEST_TIMEOUT_MS = 10_000
/** Longer than the 60 s for which common load balancers keep an idle connection, so that they close it and not we. */
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
        // Where the headers may take longer than the whole request, node swaps the two limits.
        headersTimeout: requestTimeoutMs,
        // Node looks for overdue requests every 30 s, which would make 40 s of ten.
        connectionsCheckingInterval: Math.ceil(requestTimeoutMs / 10),
        // Node would answer a request without a Host header by itself, and not in our form.
        requireHostHeader: false
      },
      clientErrorHandler: clientErrors.answer
    },
    watch (server) {
      clientErrors.watch(server)
      // Upgrades are not made, and node then drops what it has received behind such a request: nobody may wait for an answer to
      // that, and nothing be read from its middle on.
      server.prependListener('request', (request, response) => { if (request.headers.upgrade !== undefined) response.setHeader('connection', 'close') })
      connections.watch(server)
      // An expectation that we do not know may be ignored (RFC 9110, section 10.1.1); node would answer 417 by itself.
      server.on('checkExpectation', (request, response) => { server.emit('request', request, response) })
    },
    mayLog: refusals.mayLog,
    endAfter: connections.endAfter,
    closed: connections.closed,
    close: refusals.close
  }
}

/**
 * What a listener is to listen at. For `localhost` Fastify would open a server at each of its addresses, and configure one of them only: none of
 * our bounds of time and number would hold at the others. So it is one address, that of IPv4 where there are two.
 * @throws what `lookup` rejects with, where this machine has no `localhost`
 */
export async function listenAddress (host: string): Promise<string> {
  if (host.toLowerCase() !== 'localhost') return host
  return (await lookup(host, { order: 'ipv4first' })).address
}
