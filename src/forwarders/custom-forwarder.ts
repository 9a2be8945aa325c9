import type { Logger } from 'pino'
import type { Forwarder } from '../delivery/forwarder.js'

/*
 * What a custom forwarder is written against.
 */
export type { Delivery, Verdict } from '../delivery/delivery.js'
export type { Attempt, ForwardContext, ForwarderEnd, ForwardResult, Order, Outcome } from '../delivery/forwarder.js'
export type { Fault } from '../errors/problem.js'

/** What a forwarder's module gets beside its options. */
export interface ForwarderContext {
  /** The name under which its progress is kept and its lines are logged. */
  readonly name: string
  /** The folder of the file that configures it: where relative paths in its options begin. */
  readonly folder: string
  /** Its lines carry the name. */
  readonly logger: Logger
}

/**
 * What `createForwarder` returns: `forward`, and whatever else of a forwarder it wants to decide. What it leaves out is:
 * order `none`, one call at a time, one attempt a call, 15 seconds for a call, and retries for as long as configured.
 */
export type CustomForwarder = Pick<Forwarder, 'forward'> & Partial<Omit<Forwarder, 'name' | 'forward' | 'claim'>>

/**
 * What a forwarder's module exports as `createForwarder`. It checks its options, and throws where they are wrong: that stops
 * the start. What it needs it opens in `start`, or later.
 */
export type CreateForwarder<Options = Readonly<Record<string, unknown>>> =
  (options: Options, context: ForwarderContext) => CustomForwarder | Promise<CustomForwarder>
