import { isIP } from 'node:net'
import type { IncomingHttpHeaders } from 'node:http'
import { Problem } from '../errors/problem.js'

export interface HostCheckOptions {
  /** What the listener is called, besides `localhost`; case does not matter. */
  readonly names: readonly string[]
  /** Which addresses it may be called by. No page of another site can have an address as its name. */
  readonly addresses: 'loopback' | 'any'
  /** What is said to whoever calls it otherwise. */
  readonly detail: string
}

/**
 * Makes the check that keeps the pages of other sites in a browser out of a listener that asks for no proof: a site can give its own name
 * this machine's address (DNS rebinding), and the name then stands in `Host`.
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

/** The name or address in a `Host` header, without the port and an address's brackets. */
function hostName (header: string): string | undefined {
  const found = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9_.-]+))(?::\d{1,5})?$/i.exec(header)
  return (found?.[1] ?? found?.[2])?.toLowerCase()
}

/**
 * Refuses what a page of another site sends: browsers put its name into `Origin`.
 * @throws {Problem} ORIGIN_NOT_ALLOWED
 */
export function refuseForeignOrigin ({ origin, host }: IncomingHttpHeaders): void {
  if (origin === undefined) return
  // Behind a proxy that speaks TLS the scheme differs, so it is the name and port that count.
  if (!/^https?:\/\//.test(origin) || origin.replace(/^https?:\/\//, '').toLowerCase() !== host?.toLowerCase()) {
    throw new Problem('ORIGIN_NOT_ALLOWED', { detail: 'The request was made by a page of another site.' })
  }
}
