import { createDestination, type Destination, type DestinationOptions } from './destination.js'
import { createExchange, type Exchange, type ExchangeLimits } from './exchange.js'

export interface ClientOptions extends DestinationOptions, ExchangeLimits {}

/** A destination, and the function that sends requests to it. */
export interface Client {
  readonly destination: Destination
  readonly exchange: Exchange
}

/**
 * Makes the client of one destination. It checks certificates, does not follow redirects, and limits answers in time and size.
 * @throws {TypeError} if the proxy's URL or `NO_PROXY` cannot be understood
 */
export function createClient (options: ClientOptions): Client {
  const destination = createDestination(options)
  return { destination, exchange: createExchange(destination.dispatcher, options) }
}
