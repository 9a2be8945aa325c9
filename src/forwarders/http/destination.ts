import { Pool, ProxyAgent, type buildConnector, type Dispatcher } from 'undici'
import { connectOptions, createConnect, prepared } from './connect.js'
import type { LookUp } from './names/look-up.js'
import { createNames } from './names/names.js'
import { createSystemLookUp } from './names/system-look-up.js'
import { routeTo, type ProxyVariables, type Route } from './route.js'

export interface DestinationOptions {
  /** http or https. */
  readonly url: string
  /** The most connections at once. */
  readonly connections: number
  /** The time limit of a whole request, in milliseconds. Connecting may use a share of it. */
  readonly timeoutMs: number
  /** The variables with `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`. */
  readonly environment: ProxyVariables
  /** Finds the addresses of the destination and its proxy. Absent: as the system does. */
  readonly lookUp?: LookUp | undefined
}

/** The connections to the place where requests are sent. */
export interface Destination {
  readonly dispatcher: Dispatcher
  readonly origin: string
  /** The path with the query. */
  readonly path: string
  /** Closes all connections and stops name look-ups. Requests in progress fail. Idempotent. */
  readonly close: () => Promise<void>
}

/** The options that undici's agents pass to their factories. */
interface GivenConnect {
  readonly connect: buildConnector.connector
}

const MAX_CONNECT_MS = 10_000
/** The share of the connecting time that the name look-up may use. */
const LOOK_UP_SHARE = 0.9
/** The largest head of an answer that is read: four times Node's limit. A few large cookies must not fail a delivery that was accepted. */
const MAX_HEAD_BYTES = 65_536

/**
 * Makes a pool of connections that are kept open and reused. Redirects are not followed. Certificates are checked whatever
 * `NODE_TLS_REJECT_UNAUTHORIZED` says; `NODE_EXTRA_CA_CERTS` adds trusted certificates.
 * @throws {TypeError} if the proxy's URL or `NO_PROXY` cannot be understood
 */
export function createDestination ({ url, connections, timeoutMs, environment, lookUp = createSystemLookUp() }: DestinationOptions): Destination {
  const { origin, protocol, pathname, search } = new URL(url)
  const route = routeTo(url, environment)
  // Through a proxy, connecting takes three steps: to the proxy, from the proxy to the destination, and TLS. Connecting must end before the
  // request's time does. If it did not, the pool would be left with a connection that it does not count.
  const connectMs = Math.min(MAX_CONNECT_MS, Math.ceil(timeoutMs / (route.via === 'direct' ? 2 : 4)))
  // A little less than the time to connect, so that the error names the look-up.
  const names = createNames({ lookUp, limitMs: Math.ceil(connectMs * LOOK_UP_SHARE), now: () => performance.now() })
  // Only the time of the whole request counts. With a headers timeout of the same length, chance would decide which error is reported. A
  // shorter body timeout would fail a destination that pauses but answers in time, again and again.
  const limits = { connections, headersTimeout: 0, bodyTimeout: 0, maxHeaderSize: MAX_HEAD_BYTES }
  const dispatcher = route.via === 'direct' ? new Pool(origin, { ...limits, connect: createConnect(names, connectMs) }) : throughProxy(route)

  function throughProxy ({ origin: uri, authorization }: Extract<Route, { via: 'proxy' }>): Dispatcher {
    const connect = connectOptions(names, connectMs)
    return new ProxyAgent({
      ...limits,
      uri,
      ...(authorization === undefined ? {} : { token: authorization }),
      // Many proxies refuse tunnels for anything but TLS.
      proxyTunnel: protocol === 'https:',
      requestTls: connect,
      proxyTls: connect,
      factory: (target, given: GivenConnect) => new Pool(target, { ...limits, ...given, connect: prepared(given.connect, names) }),
      clientFactory: (target, given: GivenConnect) => new Pool(target, { ...given, connect: prepared(given.connect, names), headersTimeout: connectMs })
    })
  }

  return {
    dispatcher,
    origin,
    path: `${pathname}${search}`,
    async close () {
      names.close()
      await dispatcher.destroy()
    }
  }
}
