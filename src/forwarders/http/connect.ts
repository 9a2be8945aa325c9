import type { Socket } from 'node:net'
import { buildConnector } from 'undici'
import type { Names } from './names/names.js'
import { skipInterim } from './skip-interim.js'

/** What undici's `connect`, `proxyTls` and the like take. */
export interface ConnectOptions {
  readonly timeout: number
  readonly rejectUnauthorized: true
  readonly lookup: Names['lookup']
  readonly autoSelectFamilyAttemptTimeout: number
}

/** How many addresses may be tried in the time that there is to connect. */
const TRIES = 4

/**
 * How connections are made: certificates are checked, whatever the environment says, and where a name has several addresses, the
 * next one is tried before the time is over. Node gives each a quarter of a second, which is less than a far one needs.
 * @param timeoutMs how long it may take to connect, with TLS, in milliseconds
 */
export function connectOptions (names: Names, timeoutMs: number): ConnectOptions {
  return { timeout: timeoutMs, rejectUnauthorized: true, lookup: names.lookup, autoSelectFamilyAttemptTimeout: Math.ceil(timeoutMs / TRIES) }
}

/** Makes the connections of a client of undici. */
export function createConnect (names: Names, timeoutMs: number): buildConnector.connector {
  return prepared(buildConnector({ ...connectOptions(names, timeoutMs) }), names)
}

/** The same connections, without interim answers, and with a note of which address could be connected to. */
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

/** Of a connection through a tunnel the address is the proxy's, and was noted before. */
function note (names: Names, hostname: string, { remoteFamily }: Socket): void {
  if (remoteFamily === 'IPv4') names.connected(hostname, 4)
  if (remoteFamily === 'IPv6') names.connected(hostname, 6)
}
