import { Type, type Static } from '@sinclair/typebox'
import { fileOptions, httpOptions, inFile, withData, type OptionValues } from '../config/forwarder-options.js'
import { ConditionSchema } from './delivery-filter.js'

const common = {
  name: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$', errorMessage: 'must be 1 to 64 letters, digits, dots, dashes and underscores, beginning with a letter or digit' }),
  events: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { minItems: 1 })),
  verdicts: Type.Optional(Type.Array(Type.Union([Type.Literal('valid'), Type.Literal('invalid'), Type.Literal('unvalidated')]), { minItems: 1 })),
  where: Type.Optional(Type.Array(ConditionSchema, { minItems: 1 })),
  start: Type.Optional(Type.Union([Type.Literal('now'), Type.Literal('beginning')]))
}

export const LogSpecSchema = Type.Object({
  ...common,
  type: Type.Literal('log'),
  withData: Type.Optional(withData.value)
}, { additionalProperties: false })

export const FileSpecSchema = Type.Object({
  ...common,
  type: Type.Literal('file'),
  path: Type.String({ minLength: 1 }),
  ...inFile(fileOptions)
}, { additionalProperties: false })

export const HttpSpecSchema = Type.Object({
  ...common,
  type: Type.Literal('http'),
  url: Type.String(),
  ...inFile(httpOptions)
}, { additionalProperties: false })

export const OrderSchema = Type.Union([Type.Literal('none'), Type.Literal('customer'), Type.Literal('arrival')])

/** A custom forwarder. Only its module checks `options`. */
export const ModuleSpecSchema = Type.Object({
  ...common,
  /** The path of a module, relative to the folder of the file that names it, or the name of a package. */
  type: Type.String({ minLength: 1 }),
  order: Type.Optional(OrderSchema),
  concurrency: Type.Optional(Type.Integer({ minimum: 1, maximum: 1024 })),
  timeoutMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 600_000 })),
  options: Type.Optional(Type.Record(Type.String(), Type.Unknown()))
}, { additionalProperties: false })

/** The schemas of the built-in kinds, by `type`. */
export const builtInSchemas = { log: LogSpecSchema, file: FileSpecSchema, http: HttpSpecSchema } as const

export type LogSpec = Static<typeof LogSpecSchema>
export type FileSpec = Static<typeof FileSpecSchema>
export type HttpSpec = Static<typeof HttpSpecSchema>
export type ModuleSpec = Static<typeof ModuleSpecSchema>

/**
 * Returns why a forwarder cannot combine this order with this concurrency; `undefined` if it can. Parallel calls end in any order, so
 * they cannot keep the order of arrival.
 */
export function orderFault ({ order, concurrency }: { readonly order?: unknown, readonly concurrency?: unknown }): string | undefined {
  if (order !== 'arrival' || typeof concurrency !== 'number' || concurrency <= 1) return undefined
  return `must be 1 where order is arrival, and is ${concurrency}: one after another means one at a time. Make it 1, or set order to customer or none`
}

/** The values of the options that a forwarder's description leaves out. */
export interface ForwarderDefaults {
  readonly log: { readonly withData: boolean }
  readonly file: OptionValues<typeof fileOptions>
  readonly http: OptionValues<typeof httpOptions>
}

/** The configuration of one forwarder, with defaults filled in. */
export type ForwarderSpec =
  | { readonly kind: 'log', readonly spec: LogSpec & ForwarderDefaults['log'] }
  | { readonly kind: 'file', readonly spec: FileSpec & ForwarderDefaults['file'] }
  | { readonly kind: 'http', readonly spec: HttpSpec & ForwarderDefaults['http'] }
  | { readonly kind: 'module', readonly spec: ModuleSpec }
