import { resolve } from 'node:path'
import { fileOptions, httpOptions, type Options } from '../config/forwarder-options.js'
import { describeRoute, routeTo, type ProxyVariables } from './http/route.js'
import type { ConfiguredForwarder } from './registry.js'

/** What a person may see of a forwarder: no secret, no header's value, and of a URL nothing that may be one. */
export interface ForwarderSummary {
  readonly name: string
  readonly type: string
  /** Where it passes deliveries on to. */
  readonly destination: string
  /** How its destination is connected to, in words; absent where it is not known. */
  readonly route?: string
  readonly start: 'now' | 'beginning'
  readonly order: string
  readonly concurrency: number
  readonly timeoutMs: number
  /** What it wants; absent: everything. */
  readonly events?: readonly string[]
  readonly verdicts?: readonly string[]
  readonly where?: readonly unknown[]
  /** What else is configured of it. */
  readonly options: Readonly<Record<string, unknown>>
}

/**
 * @param folder where relative paths begin
 * @param environment where the http forwarder's proxy is looked up
 */
export function describeForwarder ({ configured, forwarder, start }: ConfiguredForwarder, folder: string, environment: ProxyVariables = {}): ForwarderSummary {
  const { name, type, events, verdicts, where } = configured.spec
  const { order, concurrency } = forwarder
  // The pump gives the http forwarder a little longer than what is configured.
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

/** The options that have no place of their own in a summary. Of one that is secret: how many there are, or their names. */
function shown (options: Options, spec: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(options).filter(([key]) => !OWN_PLACE.has(key)).map(([key, { secret }]) => [key, secret === true ? withoutSecrets(spec[key]) : spec[key]]))
}

const OWN_PLACE = new Set(['order', 'concurrency', 'timeoutMs'])

function withoutSecrets (value: unknown): unknown {
  return Array.isArray(value) ? value.length : Object.keys(Object(value))
}

/** Paths and queries of webhooks' URLs commonly hold a key. */
function withoutPath (text: string): string {
  const { origin, pathname, search } = new URL(text)
  return `${origin}${pathname === '/' && search === '' ? '/' : '/…'}`
}
