import { type Static, type TObject, type TOptional, type TSchema, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { decodeHeaderMap, decodeStatuses } from './decode-http.js'
import { decodeSigningSecrets } from './decode-secrets.js'
import { setting } from './setting.js'

const group = 'Forwarders'

/*
 * The options of a forwarder, besides its destination. One entry defines an option: its key in the forwarders file, its setting (http and
 * timeoutMs become HTTP_FORWARDER_TIMEOUT_MS), its default, and its description for .env.example and the help.
 */

/** The only option of the log forwarder. Its setting is LOG_FORWARDER_DATA. */
export const withData = setting(Type.Boolean({
  group,
  description: 'Whether the log forwarder\'s lines contain the whole event, with the customer\'s name, e-mail address and metadata.',
  default: false
}))

export const fileOptions = {
  rotateBytes: setting(Type.Integer({
    group,
    description: 'The size from which the file forwarder starts a new file. 0 never does.',
    unit: 'bytes',
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    default: 104_857_600
  })),
  keepDays: setting(Type.Integer({
    group,
    description: 'How long the file forwarder keeps a rotated file. 0 keeps it for ever.',
    unit: 'days',
    minimum: 0,
    maximum: 3660,
    default: 0
  }))
}

export const httpOptions = {
  timeoutMs: setting(Type.Integer({
    group,
    description: 'How long the http forwarder waits for an answer before the attempt has failed.',
    unit: 'milliseconds',
    minimum: 1,
    maximum: 600_000,
    default: 15_000
  })),
  concurrency: setting(Type.Integer({
    group,
    description: 'How many requests the http forwarder sends at the same time, each on its own connection.',
    minimum: 1,
    maximum: 1024,
    default: 16
  })),
  order: setting(Type.Union([Type.Literal('customer'), Type.Literal('none')], {
    group,
    description: 'Whether the http forwarder keeps the order of each customer\'s events, so that an event that fails holds back the ' +
      'same customer\'s later ones (customer), or sends them in any order (none).',
    default: 'customer'
  })),
  format: setting(Type.Union([Type.Literal('voucherify'), Type.Literal('cloudevents-structured'), Type.Literal('cloudevents-binary')], {
    group,
    description: 'What the http forwarder sends: voucherify (the bytes as received, with Voucherify\'s own signature), or a ' +
      'CloudEvent 1.0, as one JSON text (cloudevents-structured) or with its attributes in headers (cloudevents-binary).',
    default: 'voucherify'
  })),
  secrets: setting(Type.Array(Type.String(), {
    group,
    description: 'What the http forwarder signs with, by Standard Webhooks: whsec_ and the base64 of 24 to 64 random bytes. ' +
      'Comma-separated, so that the receiver may know the old or the new one during a rotation. Empty: not signed.',
    secret: true,
    default: []
  }), decodeSigningSecrets),
  headers: setting(Type.Record(Type.String(), Type.String(), {
    group,
    description: 'Headers that the http forwarder adds to each request, such as Authorization: Name: value, separated by commas ' +
      'or new lines (a comma separates only if a header name and a colon follow). Headers that it sends itself cannot be set.',
    secret: true,
    default: {}
  }), decodeHeaderMap),
  permanentStatus: setting(Type.Array(Type.Integer({ minimum: 300, maximum: 599 }), {
    group,
    description: 'The HTTP statuses after which the http forwarder gives an event up at once, comma-separated. After any ' +
      'other 4xx it gives up the fifth time, except for 407, 408, 425 and 429, which are retried like everything else.',
    default: [410]
  }), decodeStatuses)
}

/** Options by their keys in the forwarders file. */
export type Options = Readonly<Record<string, TSchema & { readonly value: TSchema }>>

type Upper<Name extends string> = Name extends `${infer First}${infer Rest}` ? `${First extends Lowercase<First> ? Uppercase<First> : `_${First}`}${Upper<Rest>}` : ''

/** Options as settings, by the names of their variables. */
export type SettingsOf<Kind extends string, O> = { [Key in keyof O & string as `${Kind}_FORWARDER_${Upper<Key>}`]: O[Key] }

/** Options in the forwarders file, where each may be left out. */
export type InFile<O extends Options> = { [Key in keyof O]: TOptional<O[Key]['value']> }

export type OptionValues<O extends Options> = { [Key in keyof O]: Static<O[Key]['value']> }

function variableOf (kind: string, key: string): string {
  return `${kind}_FORWARDER_${key.replace(/[A-Z]/g, '_$&').toUpperCase()}`
}

export function settingsOf<Kind extends string, O extends Options> (kind: Kind, options: O): SettingsOf<Kind, O> {
  return Object.fromEntries(Object.entries(options).map(([key, option]) => [variableOf(kind, key), option])) as SettingsOf<Kind, O>
}

export function inFile<O extends Options> (options: O): InFile<O> {
  return Object.fromEntries(Object.entries(options).map(([key, { value }]) => [key, Type.Optional(value)])) as InFile<O>
}

/** Returns the values of one kind of forwarder's options from the settings. */
export function optionValues<O extends Options> (kind: string, options: O, settings: Readonly<Record<string, unknown>>): OptionValues<O> {
  return parse(options, (key) => settings[variableOf(kind, key)])
}

/** Returns the values of options that are not set. */
export function defaultValues<O extends Options> (options: O): OptionValues<O> {
  return parse(options, (_key, { value }) => structuredClone(value.default))
}

function parse<O extends Options> (options: O, valueOf: (key: string, option: Options[string]) => unknown): OptionValues<O> {
  const schema: TObject = Type.Object(Object.fromEntries(Object.entries(options).map(([key, { value }]) => [key, value])))
  return Value.Parse(schema, Object.fromEntries(Object.entries(options).map(([key, option]) => [key, valueOf(key, option)]))) as OptionValues<O>
}
