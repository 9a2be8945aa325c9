import type { Socket } from 'node:net'
import { buildConnector } from 'undici'
import type { Names } from './names/names.js'
import { skipInterim } from './skip-interim.js'

/** The options of undici's `connect`, `proxyTls` and similar. */
export interface ConnectOptions {
  readonly timeout: number
  readonly rejectUnauthorized: true
  readonly lookup: Names['lookup']
  readonly autoSelectFamilyAttemptTimeout: number
}

/** How many addresses may be tried within the time to connect. */
const TRIES = 4

/**
 * Returns how to make connections. Certificates are checked whatever the environment says. If a name has several addresses, the next
 * one is tried before the time is over. Node's default of 250 ms per address is too short for a distant one.
 * @param timeoutMs the time limit for connecting, TLS included, in milliseconds
 */
export function connectOptions (names: Names, timeoutMs: number): ConnectOptions {
  return { timeout: timeoutMs, rejectUnauthorized: true, lookup: names.lookup, autoSelectFamilyAttemptTimeout: Math.ceil(timeoutMs / TRIES) }
}

/** Makes the connector of an undici client. */
export function createConnect (names: Names, timeoutMs: number): buildConnector.connector {
  return prepared(buildConnector({ ...connectOptions(names, timeoutMs) }), names)
}

/** Wraps a connector so that interim answers are skipped, and the address family that worked is noted. */
export function prepared (connect: buildConnector.connector, names: Names): buildConnector.connector {
  return (options, callback) => {
    connect(options, (...[error, socket]) => {
      if (error !== null) {
        callback(error, null)
        return
      }
      note(names, options.hostname, socket)
      skipInterim(socket)
      callback(null, socket)
    })
  }
}

/** Notes the family of the address. A tunnel's socket has none: the address is the proxy's, and was noted before. */
function note (names: Names, hostname: string, { remoteFamily }: Socket): void {
  if (remoteFamily === 'IPv4') names.connected(hostname, 4)
  if (remoteFamily === 'IPv6') names.connected(hostname, 6)
}
