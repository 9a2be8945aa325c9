import { createNoProxy } from './no-proxy.js'

/** The variables that name proxies, and those that do without. */
export type ProxyVariables = Readonly<Record<string, string | undefined>>

/** How a destination is connected to. */
export type Route =
  | { readonly via: 'direct' }
  | {
    readonly via: 'proxy'
    /** Without a user name and password. */
    readonly origin: string
    /** What `proxy-authorization` has to say; absent where nobody has to be named. */
    readonly authorization?: string
    /** The variable that names it. */
    readonly variable: string
  }

const DEFAULT_PORTS = { 'http:': 80, 'https:': 443 } as const

/**
 * Finds the way to a destination: through the proxy that `HTTPS_PROXY` names for https, and `HTTP_PROXY` for http, or directly
 * where `NO_PROXY` lists it. In lower case they are looked up first, and one that is empty names nothing.
 * @throws {TypeError} for a proxy that is none, and a list that cannot be understood; the message shows no password
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

/** The way in words. */
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

/** The message does not show the URL, which may hold a password. */
function proxyOf ({ name, value }: Variable): Route {
  const wrong = new TypeError(`${name} must be the http:// or https:// URL of a proxy, or its host and port`)
  // As curl takes it: a host and port alone are an HTTP proxy's.
  const url = value.includes('://') ? value : `http://${value}`
  if (!/^https?:/i.test(url) || !URL.canParse(url)) throw wrong
  const { origin, username, password } = new URL(url)
  if (username === '' && password === '') return { via: 'proxy', origin, variable: name }
  try {
    const authorization = `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}`
    return { via: 'proxy', origin, authorization, variable: name }
  } catch {
    // A percent sign that begins no byte.
    throw wrong
  }
}
