import { Type } from '@sinclair/typebox'
import { pino, type Logger } from 'pino'
import { reasonOf } from '../delivery/attempt.js'
import type { Attempt, Forwarder, ForwarderEnd } from '../delivery/forwarder.js'
import { inTime } from '../delivery/within.js'
import { compileValidator } from '../voucherify/validate.js'
import { OrderSchema, orderFault, type ModuleSpec } from './forwarder-spec.js'
import type { CustomForwarder } from './custom-forwarder.js'

const callable = Type.Unsafe<unknown>(Type.Function([], Type.Unknown(), { errorMessage: 'must be a function' }))

/** Checks the value that a module returned. A module in plain JavaScript is not held to the types. */
const validate = compileValidator(Type.Object({
  forward: callable,
  order: Type.Optional(OrderSchema),
  concurrency: Type.Optional(Type.Integer({ minimum: 1, maximum: 1024 })),
  batchSize: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
  timeoutMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 86_400_000 })),
  // `Infinity` means no limit. `Type.Number` rejects it, so the schema lists it separately.
  giveUpMs: Type.Optional(Type.Union([Type.Number({ minimum: 0 }), Type.Literal(Infinity)], { errorMessage: 'must be a number of milliseconds, or Infinity' })),
  recordsSuccess: Type.Optional(Type.Boolean()),
  start: Type.Optional(callable),
  check: Type.Optional(callable),
  close: Type.Optional(callable)
}))

/**
 * Returns why a value is not a forwarder; `undefined` if it is one.
 * @param spec the configured options, which take precedence over the options in `value`
 */
export function faultOf (value: unknown, spec: Pick<ModuleSpec, 'order' | 'concurrency'> = {}): string | undefined {
  const faults = validate(value)
  if (faults.length === 0) {
    const { order, concurrency } = value as CustomForwarder
    const fault = orderFault({ order: spec.order ?? order, concurrency: spec.concurrency ?? concurrency })
    return fault === undefined ? undefined : `concurrency ${fault}`
  }
  return faults.map(({ pointer, message }) => `${pointer === '' ? 'it' : pointer.slice(1)} ${message}`).join(', ')
}

export interface CompleteOptions {
  readonly spec: Pick<ModuleSpec, 'name' | 'order' | 'concurrency' | 'timeoutMs'>
  readonly logger: Logger
}

const TIMEOUT_MS = 15_000
const CLOSE_LIMIT_MS = 2000

/**
 * Makes a complete forwarder from the object that a custom forwarder's module returns. Configured values take precedence. A `close`
 * that hangs delays shutdown by 2 seconds at most.
 */
export function completeForwarder (made: unknown, { spec, logger }: CompleteOptions): Forwarder {
  // The caller has already checked `made` for faults.
  const custom = made as CustomForwarder
  let closing: Promise<void> | undefined

  return {
    name: spec.name,
    order: spec.order ?? custom.order ?? 'none',
    concurrency: spec.concurrency ?? custom.concurrency ?? 1,
    batchSize: custom.batchSize ?? 1,
    timeoutMs: spec.timeoutMs ?? custom.timeoutMs ?? TIMEOUT_MS,
    recordsSuccess: custom.recordsSuccess ?? true,
    ...(custom.giveUpMs === undefined ? {} : { giveUpMs: custom.giveUpMs }),
    // Called as a method, because the object may be an instance of a class.
    async start (position) {
      try {
        await custom.start?.(position)
      } catch (error) {
        throw loggable(error)
      }
    },
    forward: async (attempts, context) => await custom.forward(attempts.map(copyOf), context),
    ...(custom.check === undefined ? {} : { check: async (signal) => { await custom.check?.(signal) } }),
    // `end` is absent if the forwarder was never started. Nothing is unsettled then.
    async close (end = { settled: true }) {
      closing ??= closeInTime(custom, end, (error) => { logger.error({ err: loggable(error) }, 'forwarder not closed') })
      await closing
    }
  }
}

/**
 * Copies an attempt, so that a custom forwarder may change the objects or transfer the bytes to a worker. The journal hands the originals
 * to other forwarders and to the next attempt, and their bytes may share one buffer with other bodies.
 * The body is a `Buffer`, because its `toString` returns the text. That of a `Uint8Array` returns a list of numbers.
 */
function copyOf ({ delivery, ...attempt }: Attempt): Attempt {
  const { headers, faults, rawBody, ...rest } = delivery
  return {
    ...attempt,
    delivery: { ...rest, headers: { ...headers }, faults: faults.map((fault) => ({ ...fault })), rawBody: Buffer.from(new Uint8Array(rawBody).buffer) }
  }
}

/** Replaces an error whose properties throw when read. The logger would throw too, and stop the service from starting or closing. */
function loggable (error: unknown): unknown {
  try {
    if (error instanceof Error) pino.stdSerializers.err(error)
    return error
  } catch {
    return new Error(reasonOf(error))
  }
}

async function closeInTime (custom: CustomForwarder, end: ForwarderEnd, report: (error: unknown) => void): Promise<void> {
  const closed = (async () => { await custom.close?.(end) })()
  await inTime(CLOSE_LIMIT_MS, closed, () => new Error(`It took longer than ${CLOSE_LIMIT_MS} ms`)).catch(report)
}
