import { isIP } from 'node:net'
import type { IncomingHttpHeaders } from 'node:http'
import { Problem } from '../errors/problem.js'

export interface HostCheckOptions {
  /** The names of the listener, besides `localhost`. Case does not matter. */
  readonly names: readonly string[]
  /** The addresses that `Host` may contain. A page of another site cannot have an address as its name. */
  readonly addresses: 'loopback' | 'any'
  /** The problem's detail if `Host` has another name or address. */
  readonly detail: string
}

/**
 * Makes the check that keeps pages of other sites away from a listener that asks for no proof. A site can resolve its own name to this machine's
 * address (DNS rebinding), and a browser then sends that name in `Host`.
 * @returns a function that throws a {Problem} ORIGIN_NOT_ALLOWED
 */
export function createHostCheck ({ names, addresses, detail }: HostCheckOptions): (headers: IncomingHttpHeaders) => void {
  const known = new Set(['localhost', ...names.map((name) => name.toLowerCase())])
  const isOurs = (name: string): boolean => known.has(name) || (addresses === 'any' ? isIP(name) !== 0 : isLoopbackAddress(name))
  return ({ host = '' }) => {
    const name = hostName(host)
    if (name === undefined || !isOurs(name)) throw new Problem('ORIGIN_NOT_ALLOWED', { detail })
  }
}

function isLoopbackAddress (name: string): boolean {
  return name === '::1' || (isIP(name) === 4 && name.startsWith('127.'))
}

/** Returns the name or address in a `Host` header, without the port and without the brackets of an address; `undefined` if it has neither. */
function hostName (header: string): string | undefined {
  const found = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9_.-]+))(?::\d{1,5})?$/i.exec(header)
  return (found?.[1] ?? found?.[2])?.toLowerCase()
}

/**
 * Refuses a request that a page of another site makes. Browsers send the page's origin in `Origin`.
 * @throws {Problem} ORIGIN_NOT_ALLOWED
 */
export function refuseForeignOrigin ({ origin, host }: IncomingHttpHeaders): void {
  if (origin === undefined) return
  // Behind a proxy that terminates TLS the scheme differs, so only the name and port are compared.
  if (!/^https?:\/\//.test(origin) || origin.replace(/^https?:\/\//, '').toLowerCase() !== host?.toLowerCase()) {
    throw new Problem('ORIGIN_NOT_ALLOWED', { detail: 'The request was made by a page of another site.' })
  }
}
