import { openForwarders, readForwarderSpecs } from './configured-forwarders.js'
import { systemClock } from '../delivery/clock.js'
import { describeForwarder, type ForwarderSummary } from '../forwarders/describe-forwarder.js'
import { reservedFiles } from './reserved-files.js'
import type { ServiceOptions } from './service.js'

export interface InspectOptions extends Pick<ServiceOptions, 'settings' | 'logger' | 'version' | 'environment' | 'variables' | 'envFile'> {}

/** A forwarder as the service would run it. */
export interface InspectedForwarder extends ForwarderSummary {
  /** Tests whether the destination can be reached; absent if the forwarder cannot tell. */
  readonly check?: (signal: AbortSignal) => Promise<void>
  readonly close: () => Promise<void>
}

/**
 * Makes the configured forwarders without starting them, so that they can be shown, checked and closed.
 * @throws {ConfigurationError} with all faults
 */
export async function inspectForwarders ({ settings, logger, version = 'unknown', environment = {}, variables = environment, envFile }: InspectOptions): Promise<readonly InspectedForwarder[]> {
  const configured = readForwarderSpecs(settings, variables)
  const forwarders = await openForwarders(configured, {
    logger,
    output: { write: () => {}, flushed: async () => {} },
    version,
    environment,
    retryAfterMaxMs: settings.RETRY_MAX_MS,
    now: systemClock.now,
    monotonic: systemClock.monotonic,
    reservedFiles: reservedFiles({ settings, envFile })
  })
  return forwarders.map((each) => ({
    ...describeForwarder(each, configured.folder, environment),
    ...(each.forwarder.check === undefined ? {} : { check: each.forwarder.check }),
    close: async () => { await each.forwarder.close?.() }
  }))
}
