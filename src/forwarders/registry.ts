import { isAbsolute, resolve } from 'node:path'
import type { Logger } from 'pino'
import type { Delivery } from '../delivery/delivery.js'
import type { Forwarder } from '../delivery/forwarder.js'
import { createFilter } from './delivery-filter.js'
import { createFileForwarder } from './file/file-forwarder.js'
import type { ForwarderSpec } from './forwarder-spec.js'
import { createHttpForwarder } from './http/http-forwarder.js'
import { loadForwarder } from './load-module.js'
import { createLogForwarder, type LineOutput } from './log-forwarder.js'

export interface RegistryOptions {
  readonly logger: Logger
  /** Where the lines of log forwarders go. */
  readonly output: LineOutput
  /** Where relative paths of files and modules begin. */
  readonly folder: string
  readonly version: string
  /** Where the http forwarder's proxy is looked up. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The longest wait that a destination may ask for, in milliseconds. */
  readonly retryAfterMaxMs: number
  readonly now: () => number
}

/** A forwarder as it is to run. */
export interface ConfiguredForwarder {
  readonly forwarder: Forwarder
  readonly start: 'now' | 'beginning'
  readonly accepts: (delivery: Delivery) => boolean
}

const HTTP_TIMEOUT_MS = 15_000
const HTTP_CONCURRENCY = 16
const ROTATE_BYTES = 104_857_600

/**
 * Turns what is configured into forwarders. Nothing is opened yet.
 * @throws {ForwarderModuleError} for a forwarder of somebody's own that can't be loaded
 */
export async function createForwarders (specs: readonly ForwarderSpec[], options: RegistryOptions): Promise<readonly ConfiguredForwarder[]> {
  const configured: ConfiguredForwarder[] = []
  for (const each of specs) {
    configured.push({ forwarder: await createForwarder(each, options), start: each.spec.start ?? 'now', accepts: createFilter(filterOptions(each)) })
  }
  return configured
}

function filterOptions ({ spec: { events, verdicts, where } }: ForwarderSpec): Parameters<typeof createFilter>[0] {
  return { ...(events === undefined ? {} : { events }), ...(verdicts === undefined ? {} : { verdicts }), ...(where === undefined ? {} : { where }) }
}

async function createForwarder ({ kind, spec }: ForwarderSpec, options: RegistryOptions): Promise<Forwarder> {
  switch (kind) {
    case 'log':
      return createLogForwarder({ name: spec.name, output: options.output, withData: spec.withData ?? false })
    case 'file':
      return createFileForwarder({
        name: spec.name,
        path: isAbsolute(spec.path) ? spec.path : resolve(options.folder, spec.path),
        rotateBytes: spec.rotateBytes ?? ROTATE_BYTES,
        keepDays: spec.keepDays ?? 0,
        now: options.now,
        logger: options.logger
      })
    case 'http':
      return createHttpForwarder({
        name: spec.name,
        url: spec.url,
        format: spec.format ?? 'voucherify',
        order: spec.order ?? 'customer',
        concurrency: spec.concurrency ?? HTTP_CONCURRENCY,
        timeoutMs: spec.timeoutMs ?? HTTP_TIMEOUT_MS,
        secrets: spec.secrets ?? [],
        headers: Object.entries(spec.headers ?? {}).map(([name, value]) => ({ name: name.toLowerCase(), value: String(value) })),
        permanentStatus: spec.permanentStatus ?? [410],
        retryAfterMaxMs: options.retryAfterMaxMs,
        version: options.version,
        environment: options.environment,
        now: options.now
      })
    case 'module':
      return await loadForwarder(spec, options.folder, options.logger)
  }
}
