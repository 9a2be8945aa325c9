import { resolve } from 'node:path'
import { fileOptions, httpOptions, type Options } from '../config/forwarder-options.js'
import { describeRoute, routeTo, type ProxyVariables } from './http/route.js'
import type { ConfiguredForwarder } from './registry.js'

/** The description of a forwarder for people. It has no secret, no header value, and no part of a URL that may be a secret. */
export interface ForwarderSummary {
  readonly name: string
  readonly type: string
  /** Where the forwarder sends deliveries. */
  readonly destination: string
  /** How the forwarder connects to its destination, in words; absent if not known. */
  readonly route?: string
  readonly start: 'now' | 'beginning'
  readonly order: string
  readonly concurrency: number
  readonly timeoutMs: number
  /** The event types that the filter accepts. Absent: every type. */
  readonly events?: readonly string[]
  readonly verdicts?: readonly string[]
  readonly where?: readonly unknown[]
  /** The other configured options. */
  readonly options: Readonly<Record<string, unknown>>
}

/**
 * @param folder relative paths are resolved against it
 * @param environment the variables that may name the http forwarder's proxy
 */
export function describeForwarder ({ configured, forwarder, start }: ConfiguredForwarder, folder: string, environment: ProxyVariables = {}): ForwarderSummary {
  const { name, type, events, verdicts, where } = configured.spec
  const { order, concurrency } = forwarder
  // The pump's timeout for the http forwarder is a little longer than the configured one.
  const timeoutMs = configured.kind === 'http' ? configured.spec.timeoutMs : forwarder.timeoutMs
  return {
    name,
    type,
    ...about(configured, folder, environment),
    start,
    order,
    concurrency,
    timeoutMs,
    ...(events === undefined ? {} : { events }),
    ...(verdicts === undefined ? {} : { verdicts }),
    ...(where === undefined ? {} : { where })
  }
}

function about ({ kind, spec }: ConfiguredForwarder['configured'], folder: string, environment: ProxyVariables): Pick<ForwarderSummary, 'destination' | 'route' | 'options'> {
  switch (kind) {
    case 'log':
      return { destination: 'stdout', options: { withData: spec.withData } }
    case 'file':
      return { destination: resolve(folder, spec.path), options: shown(fileOptions, spec) }
    case 'http':
      return {
        destination: withoutPath(spec.url),
        route: describeRoute(routeTo(spec.url, environment)),
        options: shown(httpOptions, spec)
      }
    case 'module':
      return { destination: spec.type, options: { names: Object.keys(spec.options ?? {}) } }
  }
}

/** Returns the options that have no field of their own in a summary. A secret option shows only the number of its values, or their names. */
function shown (options: Options, spec: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(options).filter(([key]) => !OWN_PLACE.has(key)).map(([key, { secret }]) => [key, secret === true ? withoutSecrets(spec[key]) : spec[key]]))
}

const OWN_PLACE = new Set(['order', 'concurrency', 'timeoutMs'])

function withoutSecrets (value: unknown): unknown {
  return Array.isArray(value) ? value.length : Object.keys(Object(value))
}

/** Leaves out the path and query, because those of webhook URLs often contain a key. */
function withoutPath (text: string): string {
  const { origin, pathname, search } = new URL(text)
  return `${origin}${pathname === '/' && search === '' ? '/' : '/…'}`
}
