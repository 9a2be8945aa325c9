import { EnvHttpProxyAgent, Pool, type Dispatcher } from 'undici'

export interface DestinationOptions {
  /** http or https. */
  readonly url: string
  /** The most connections at once. */
  readonly connections: number
  /** The time that a whole request is given, in milliseconds: to connect, and to go on with a body, may take a share of it. */
  readonly timeoutMs: number
  /** Where `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` are looked up, in lower case first. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** Where requests go, and the connections there. */
export interface Destination {
  readonly dispatcher: Dispatcher
  readonly origin: string
  /** With the query. */
  readonly path: string
}

const LONGEST_CONNECT_MS = 10_000
const LONGEST_BODY_PAUSE_MS = 5000

/**
 * One pool of connections that are kept and used again. Redirects are not followed. Certificates are checked whatever
 * `NODE_TLS_REJECT_UNAUTHORIZED` says; `NODE_EXTRA_CA_CERTS` adds to those that are trusted.
 * @throws {TypeError} where the URL of the proxy is none
 */
export function createDestination ({ url, connections, timeoutMs, environment }: DestinationOptions): Destination {
  const { origin, protocol, pathname, search } = new URL(url)
  const path = `${pathname}${search}`
  const variable = protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY'
  const proxy = lookUp(environment, variable)
  // For the headers it would be as long as for the whole request, and chance would say which of the two is told of.
  const limits = { connections, headersTimeout: 0, bodyTimeout: Math.min(timeoutMs, LONGEST_BODY_PAUSE_MS) }

  if (proxy === '') {
    return { dispatcher: new Pool(origin, { ...limits, connect: connectOptions(timeoutMs, 2) }), origin, path }
  }
  // Through a proxy it takes three steps: to connect to the proxy, to be connected on by it, and TLS. A request that is
  // still waiting for its connection when its time is over leaves a connection behind that nobody counts.
  const connect = connectOptions(timeoutMs, 4)
  const dispatcher = new EnvHttpProxyAgent({
    ...limits,
    // Only the variable of the destination's own protocol counts; an empty text keeps the process's own from being read.
    httpProxy: '',
    httpsProxy: '',
    [protocol === 'https:' ? 'httpsProxy' : 'httpProxy']: proxyUrl(proxy, variable),
    noProxy: lookUp(environment, 'NO_PROXY'),
    // Proxies commonly refuse tunnels to anything but TLS.
    proxyTunnel: protocol === 'https:',
    connect,
    requestTls: connect,
    proxyTls: connect,
    factory: (target, options) => new Pool(target, { ...limits, ...options }),
    clientFactory: (target, options) => new Pool(target, { ...options, headersTimeout: connect.timeout })
  })
  return { dispatcher, origin, path }
}

function connectOptions (timeoutMs: number, steps: number): { readonly timeout: number, readonly rejectUnauthorized: true } {
  return { timeout: Math.min(LONGEST_CONNECT_MS, Math.ceil(timeoutMs / steps)), rejectUnauthorized: true }
}

function lookUp (environment: DestinationOptions['environment'], variable: string): string {
  return environment[variable.toLowerCase()] ?? environment[variable] ?? ''
}

/** The message does not show the URL, which may hold a password. */
function proxyUrl (value: string, variable: string): string {
  // As curl takes it: a host and port alone are an HTTP proxy's.
  const url = value.includes('://') ? value : `http://${value}`
  if (!/^https?:/i.test(url) || !URL.canParse(url)) throw new TypeError(`${variable} must be the http:// or https:// URL of a proxy, or its host and port`)
  return url
}
