import { Pool, ProxyAgent, type buildConnector, type Dispatcher } from 'undici'
import { createConnect, withoutInterim } from './connect.js'
import { routeTo, type ProxyVariables } from './route.js'

export interface DestinationOptions {
  /** http or https. */
  readonly url: string
  /** The most connections at once. */
  readonly connections: number
  /** The time that a whole request is given, in milliseconds: to connect, and to go on with a body, may take a share of it. */
  readonly timeoutMs: number
  /** Where `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` are looked up. */
  readonly environment: ProxyVariables
}

/** Where requests go, and the connections there. */
export interface Destination {
  readonly dispatcher: Dispatcher
  readonly origin: string
  /** With the query. */
  readonly path: string
}

/** What undici's agents give to what they make. */
interface GivenConnect {
  readonly connect: buildConnector.connector
}

const LONGEST_CONNECT_MS = 10_000
const LONGEST_BODY_PAUSE_MS = 5000
/** The largest head of an answer that is read: four times what Node takes, since what has been taken must not fail for a few large cookies. */
const LONGEST_HEAD_BYTES = 65_536

/**
 * One pool of connections that are kept and used again. Redirects are not followed. Certificates are checked whatever
 * `NODE_TLS_REJECT_UNAUTHORIZED` says; `NODE_EXTRA_CA_CERTS` adds to those that are trusted.
 * @throws {TypeError} for a proxy that is none, and a `NO_PROXY` that cannot be understood
 */
export function createDestination ({ url, connections, timeoutMs, environment }: DestinationOptions): Destination {
  const { origin, protocol, pathname, search } = new URL(url)
  const path = `${pathname}${search}`
  const route = routeTo(url, environment)
  // For the headers it would be as long as for the whole request, and chance would say which of the two is told of.
  const limits = { connections, headersTimeout: 0, bodyTimeout: Math.min(timeoutMs, LONGEST_BODY_PAUSE_MS), maxHeaderSize: LONGEST_HEAD_BYTES }

  if (route.via === 'direct') {
    return { dispatcher: new Pool(origin, { ...limits, connect: createConnect({ timeoutMs: connectMs(timeoutMs, 2) }) }), origin, path }
  }
  // Through a proxy it takes three steps: to connect to the proxy, to be connected on by it, and TLS. A request that is
  // still waiting for its connection when its time is over leaves a connection behind that nobody counts.
  const connect = { timeout: connectMs(timeoutMs, 4), rejectUnauthorized: true }
  const dispatcher = new ProxyAgent({
    ...limits,
    uri: route.origin,
    ...(route.authorization === undefined ? {} : { token: route.authorization }),
    // Proxies commonly refuse tunnels to anything but TLS.
    proxyTunnel: protocol === 'https:',
    requestTls: connect,
    proxyTls: connect,
    factory: (target, given: GivenConnect) => new Pool(target, { ...limits, ...given, connect: withoutInterim(given.connect) }),
    clientFactory: (target, given: GivenConnect) => new Pool(target, { ...given, connect: withoutInterim(given.connect), headersTimeout: connect.timeout })
  })
  return { dispatcher, origin, path }
}

function connectMs (timeoutMs: number, steps: number): number {
  return Math.min(LONGEST_CONNECT_MS, Math.ceil(timeoutMs / steps))
}
