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
  /** The time that a whole request is given, in milliseconds: to connect may take a share of it. */
  readonly timeoutMs: number
  /** Where `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` are looked up. */
  readonly environment: ProxyVariables
  /** How the names of the destination and of its proxy are looked up; as the system does where absent. */
  readonly lookUp?: LookUp | undefined
}

/** Where requests go, and the connections there. */
export interface Destination {
  readonly dispatcher: Dispatcher
  readonly origin: string
  /** With the query. */
  readonly path: string
  /** Ends its connections and what they wait for. Requests under way fail. Idempotent. */
  readonly close: () => Promise<void>
}

/** What undici's agents give to what they make. */
interface GivenConnect {
  readonly connect: buildConnector.connector
}

const LONGEST_CONNECT_MS = 10_000
/** How much of the time to connect may go to the name. */
const LOOK_UP_SHARE = 0.9
/** The largest head of an answer that is read: four times what Node takes, since what has been taken must not fail for a few large cookies. */
const LONGEST_HEAD_BYTES = 65_536

/**
 * One pool of connections that are kept and used again. Redirects are not followed. Certificates are checked whatever
 * `NODE_TLS_REJECT_UNAUTHORIZED` says; `NODE_EXTRA_CA_CERTS` adds to those that are trusted.
 * @throws {TypeError} for a proxy that is none, and a `NO_PROXY` that cannot be understood
 */
export function createDestination ({ url, connections, timeoutMs, environment, lookUp = createSystemLookUp() }: DestinationOptions): Destination {
  const { origin, protocol, pathname, search } = new URL(url)
  const route = routeTo(url, environment)
  // Through a proxy it takes three steps: to connect to the proxy, to be connected on by it, and TLS. A request that is
  // still waiting for its connection when its time is over leaves a connection behind that nobody counts.
  const connectMs = Math.min(LONGEST_CONNECT_MS, Math.ceil(timeoutMs / (route.via === 'direct' ? 2 : 4)))
  // A little less than to connect, so that what took so long is told.
  const names = createNames({ lookUp, limitMs: Math.ceil(connectMs * LOOK_UP_SHARE), now: () => performance.now() })
  // The time of the whole request is what counts. As long for the headers, chance would say which of the two is told of; a shorter one
  // for a pause in the body would fail, again and again, a destination that answers in time.
  const limits = { connections, headersTimeout: 0, bodyTimeout: 0, maxHeaderSize: LONGEST_HEAD_BYTES }
  const dispatcher = route.via === 'direct' ? new Pool(origin, { ...limits, connect: createConnect(names, connectMs) }) : throughProxy(route)

  function throughProxy ({ origin: uri, authorization }: Extract<Route, { via: 'proxy' }>): Dispatcher {
    const connect = connectOptions(names, connectMs)
    return new ProxyAgent({
      ...limits,
      uri,
      ...(authorization === undefined ? {} : { token: authorization }),
      // Proxies commonly refuse tunnels to anything but TLS.
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
