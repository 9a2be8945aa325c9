import { createDestination, type Destination, type DestinationOptions } from './destination.js'
import { createExchange, type Exchange, type ExchangeLimits } from './exchange.js'

export interface ClientOptions extends DestinationOptions, ExchangeLimits {}

/** A destination, and what sends requests there. */
export interface Client {
  readonly destination: Destination
  readonly exchange: Exchange
}

/**
 * Makes the client for one destination: certificates are checked, redirects are not followed, and answers are bounded in time and size.
 * @throws {TypeError} for a proxy that is none, and a `NO_PROXY` that cannot be understood
 */
export function createClient (options: ClientOptions): Client {
  const destination = createDestination(options)
  return { destination, exchange: createExchange(destination.dispatcher, options) }
}
