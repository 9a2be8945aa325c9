import type { Logger } from 'pino'
import type { Forwarder } from '../delivery/forwarder.js'

/* The types for authors of custom forwarders. */
export type { Delivery, Verdict } from '../delivery/delivery.js'
export type { Attempt, ForwardContext, ForwarderEnd, ForwardResult, Order, Outcome } from '../delivery/forwarder.js'
export type { Fault } from '../errors/problem.js'

/** The second argument of `createForwarder`, beside the options. */
export interface ForwarderContext {
  /** The name under which the journal keeps this forwarder's progress. Log lines carry this name. */
  readonly name: string
  /** The folder of the file that configures this forwarder. Relative paths in the options are resolved against it. */
  readonly folder: string
  /** Adds the forwarder's name to each line. */
  readonly logger: Logger
}

/**
 * The object that `createForwarder` returns: `forward` and any other members of a forwarder. Defaults of absent members: order `none`,
 * one call at a time, one attempt per call, 15 seconds per call, and retries for as long as configured.
 */
export type CustomForwarder = Pick<Forwarder, 'forward'> & Partial<Omit<Forwarder, 'name' | 'forward' | 'claim'>>

/**
 * The function that a forwarder's module exports as `createForwarder`. It checks its options and throws if they are wrong, which stops
 * the service from starting. It should open connections and files in `start`, or later.
 */
export type CreateForwarder<Options = Readonly<Record<string, unknown>>> =
  (options: Options, context: ForwarderContext) => CustomForwarder | Promise<CustomForwarder>
