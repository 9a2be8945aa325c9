import { buildConnector } from 'undici'
import { skipInterim } from './skip-interim.js'

export interface ConnectOptions {
  /** How long it may take to connect, with TLS, in milliseconds. */
  readonly timeoutMs: number
}

/** Makes the connections of undici's clients as they are made to destinations. Certificates are checked, whatever the environment says. */
export function createConnect ({ timeoutMs }: ConnectOptions): buildConnector.connector {
  return withoutInterim(buildConnector({ timeout: timeoutMs, rejectUnauthorized: true }))
}

/** The same connections, without interim answers. */
export function withoutInterim (connect: buildConnector.connector): buildConnector.connector {
  return (options, callback) => {
    connect(options, (...[error, socket]) => {
      if (error !== null) {
        callback(error, null)
        return
      }
      skipInterim(socket)
      callback(null, socket)
    })
  }
}
