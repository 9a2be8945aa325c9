import { Type } from '@sinclair/typebox'
import { pino, type Logger } from 'pino'
import { reasonOf } from '../delivery/attempt.js'
import type { Attempt, Forwarder, ForwarderEnd } from '../delivery/forwarder.js'
import { inTime } from '../delivery/within.js'
import { compileValidator } from '../voucherify/validate.js'
import { OrderSchema, orderFault, type ModuleSpec } from './forwarder-spec.js'
import type { CustomForwarder } from './custom-forwarder.js'

const callable = Type.Unsafe<unknown>(Type.Function([], Type.Unknown(), { errorMessage: 'must be a function' }))

/** What JavaScript may return in spite of the types. */
const validate = compileValidator(Type.Object({
  forward: callable,
  order: Type.Optional(OrderSchema),
  concurrency: Type.Optional(Type.Integer({ minimum: 1, maximum: 1024 })),
  batchSize: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
  timeoutMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 86_400_000 })),
  // For ever is Infinity, which is no number in JSON.
  giveUpMs: Type.Optional(Type.Union([Type.Number({ minimum: 0 }), Type.Literal(Infinity)], { errorMessage: 'must be a number of milliseconds, or Infinity' })),
  recordsSuccess: Type.Optional(Type.Boolean()),
  start: Type.Optional(callable),
  check: Type.Optional(callable),
  close: Type.Optional(callable)
}))

/**
 * Why something is no forwarder; `undefined` if it is one.
 * @param spec what the configuration says in its stead
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
 * Makes a whole forwarder of what a custom forwarder's module returns, the configuration first. One that hangs when it is closed
 * keeps the service from stopping for a moment only.
 */
export function completeForwarder (made: unknown, { spec, logger }: CompleteOptions): Forwarder {
  // Whoever calls this has seen to it that there are no faults in it.
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
    // Called on what was returned, which may be an object of a class.
    async start (position) {
      try {
        await custom.start?.(position)
      } catch (error) {
        throw loggable(error)
      }
    },
    forward: async (attempts, context) => await custom.forward(attempts.map(copyOf), context),
    ...(custom.check === undefined ? {} : { check: async (signal) => { await custom.check?.(signal) } }),
    // One that was never started has nothing that is not on disk.
    async close (end = { settled: true }) {
      closing ??= closeInTime(custom, end, (error) => { logger.error({ err: loggable(error) }, 'forwarder not closed') })
      await closing
    }
  }
}

/**
 * The same in objects and bytes of its own. What the journal hands out goes to the other forwarders and to the next attempt, and
 * its bytes may share one buffer with other bodies: to change it, or to transfer it to a worker, would take it from all of them.
 * The bytes are a `Buffer`, whose `toString` is the event and no list of numbers.
 */
function copyOf ({ delivery, ...attempt }: Attempt): Attempt {
  const { headers, faults, rawBody, ...rest } = delivery
  return {
    ...attempt,
    delivery: { ...rest, headers: { ...headers }, faults: faults.map((fault) => ({ ...fault })), rawBody: Buffer.from(new Uint8Array(rawBody).buffer) }
  }
}

/** An error that throws when it is read would be thrown by the logger, and so keep the service from its start or its stop. */
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
