import { createNoProxy } from './no-proxy.js'

/** The environment variables that name proxies, and the destinations that need none. */
export type ProxyVariables = Readonly<Record<string, string | undefined>>

/** How to connect to a destination. */
export type Route =
  | { readonly via: 'direct' }
  | {
    readonly via: 'proxy'
    /** The proxy's origin, without user name and password. */
    readonly origin: string
    /** The value of `proxy-authorization`; absent if the proxy's URL has no user name and password. */
    readonly authorization?: string
    /** The variable that names the proxy. */
    readonly variable: string
  }

const DEFAULT_PORTS = { 'http:': 80, 'https:': 443 } as const

/**
 * Finds out how to connect to a destination. `HTTPS_PROXY` names the proxy for https, and `HTTP_PROXY` the one for http. Destinations
 * listed in `NO_PROXY` are connected to directly. Names in lower case take precedence, and an empty variable names no proxy.
 * @throws {TypeError} if a proxy's URL or the list cannot be understood; the message contains no password
 */
export function routeTo (url: string, variables: ProxyVariables): Route {
  const { protocol, hostname, port } = new URL(url)
  const secure = protocol === 'https:'
  const named = lookUp(variables, secure ? 'HTTPS_PROXY' : 'HTTP_PROXY')
  if (named.value === '') return { via: 'direct' }
  const list = lookUp(variables, 'NO_PROXY')
  const origin = { hostname, port: port === '' ? DEFAULT_PORTS[secure ? 'https:' : 'http:'] : Number(port) }
  return isListed(list, origin) ? { via: 'direct' } : proxyOf(named)
}

/** Describes the route in words. */
export function describeRoute (route: Route): string {
  return route.via === 'direct' ? 'directly' : `through the proxy ${route.origin} (${route.variable})`
}

interface Variable {
  readonly name: string
  readonly value: string
}

function lookUp (variables: ProxyVariables, name: string): Variable {
  const inLowerCase = variables[name.toLowerCase()]
  return inLowerCase === undefined ? { name, value: variables[name] ?? '' } : { name: name.toLowerCase(), value: inLowerCase }
}

function isListed ({ name, value }: Variable, origin: { readonly hostname: string, readonly port: number }): boolean {
  try {
    return createNoProxy(value)(origin)
  } catch (error) {
    throw new TypeError(`${name} cannot be understood: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Reads a proxy's URL. The error's message does not contain the URL, which may include a password. */
function proxyOf ({ name, value }: Variable): Route {
  const wrong = new TypeError(`${name} must be the http:// or https:// URL of a proxy, or its host and port`)
  // Like curl: a host and port alone mean an HTTP proxy.
  const url = value.includes('://') ? value : `http://${value}`
  if (!/^https?:/i.test(url) || !URL.canParse(url)) throw wrong
  const { origin, username, password } = new URL(url)
  if (username === '' && password === '') return { via: 'proxy', origin, variable: name }
  try {
    const authorization = `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}`
    return { via: 'proxy', origin, authorization, variable: name }
  } catch {
    // A percent sign without two digits.
    throw wrong
  }
}
