import type { ConfigurationFault } from './configuration-error.js'
import { isLoopback } from './addresses.js'
import { type SettingName, type Settings, SettingsSchema } from './settings.js'
import { findWatchdogFaults } from './watchdog-settings.js'

/** The settings, without those that could not be read. */
export type ReadableSettings = { readonly [Name in keyof Settings]?: Settings[Name] | undefined }

/**
 * Finds contradictions between settings that are each valid by themselves.
 * @param given the settings that are set, not defaults
 * @param unreadable those that are set but already have a fault; they are not reported as missing
 */
export function findContradictions (settings: ReadableSettings, given: ReadonlySet<SettingName>, unreadable: ReadonlySet<string>): ConfigurationFault[] {
  const faults: ConfigurationFault[] = []
  const { HOST, VOUCHERIFY_WEBHOOK_SECRETS: secrets, ALLOW_UNSIGNED, RETRY_MIN_MS, RETRY_MAX_MS } = settings

  if (HOST !== undefined && secrets?.length === 0 && ALLOW_UNSIGNED === false && !isLoopback(HOST)) {
    faults.push({
      variable: 'VOUCHERIFY_WEBHOOK_SECRETS',
      message: `is not set or empty, but HOST is ${JSON.stringify(HOST)}, where others can reach the service and send it made-up events; ` +
        'set it to the secret key from Voucherify\'s Project settings, Webhooks, or HOST to 127.0.0.1, or, if you know why, ALLOW_UNSIGNED to true'
    })
  }
  faults.push(...ofOperatorListener(settings, unreadable), ...findWatchdogFaults(settings, unreadable))
  if (settings.ALLOWED_SOURCES_MODE === 'enforce' && settings.ALLOWED_SOURCES?.length === 0) {
    faults.push({ variable: 'ALLOWED_SOURCES', message: 'is not set, but ALLOWED_SOURCES_MODE is enforce; set it, for example to eu1, or remove the mode' })
  }
  if (settings.FORWARDERS?.includes('http') === true && settings.HTTP_FORWARDER_URL === undefined && !unreadable.has('HTTP_FORWARDER_URL')) {
    faults.push({ variable: 'HTTP_FORWARDER_URL', message: 'is not set, but FORWARDERS names http; set it to the URL to post events to, or take http out' })
  }
  if (given.has('FORWARDERS_FILE')) {
    // Settings replaced by FORWARDERS_FILE are a fault and are not ignored. If a signing secret were ignored, for example, only the receiver
    // would notice.
    for (const name of given) {
      if (name === 'FORWARDERS_FILE' || SettingsSchema.properties[name]['group'] !== SettingsSchema.properties.FORWARDERS_FILE['group']) continue
      faults.push({ variable: name, message: 'is set, but so is FORWARDERS_FILE, which says all about forwarders; remove the one or the other' })
    }
  }
  if (RETRY_MIN_MS !== undefined && RETRY_MAX_MS !== undefined && RETRY_MIN_MS > RETRY_MAX_MS) {
    faults.push({ variable: 'RETRY_MIN_MS', message: `is ${RETRY_MIN_MS}, more than RETRY_MAX_MS, which is ${RETRY_MAX_MS}; lower the one or raise the other` })
  }
  const { DEDUPE_UNIDENTIFIED_SECONDS: unidentifiedSeconds, DEDUPE_WINDOW_DAYS: windowDays } = settings
  if (unidentifiedSeconds !== undefined && windowDays !== undefined && unidentifiedSeconds > windowDays * 86_400) {
    faults.push({ variable: 'DEDUPE_UNIDENTIFIED_SECONDS', message: `is ${unidentifiedSeconds}, more than DEDUPE_WINDOW_DAYS, which is ${windowDays} (${windowDays * 86_400} seconds); lower the one or raise the other` })
  }
  return faults
}

function ofOperatorListener ({ HOST, PORT, ADMIN_HOST, ADMIN_PORT, ADMIN_TOKEN, ADMIN_TOKENS }: ReadableSettings, unreadable: ReadonlySet<string>): ConfigurationFault[] {
  if (ADMIN_HOST === undefined || ADMIN_PORT === undefined || ADMIN_PORT === 0) return []
  const faults: ConfigurationFault[] = []
  if (ADMIN_TOKEN === undefined && ADMIN_TOKENS?.length === 0 && !unreadable.has('ADMIN_TOKEN') && !isLoopback(ADMIN_HOST)) {
    faults.push({
      variable: 'ADMIN_TOKEN',
      message: `is not set or empty, but ADMIN_HOST is ${JSON.stringify(ADMIN_HOST)}, where others can reach the operator's listener, read events and replay them; ` +
        'set it, for example to what "openssl rand -hex 32" makes, or ADMIN_HOST to 127.0.0.1, or ADMIN_PORT to 0, which turns it off'
    })
  }
  if (ADMIN_TOKENS?.some(({ token }) => token === ADMIN_TOKEN) === true) {
    faults.push({ variable: 'ADMIN_TOKENS', message: 'has the same token as ADMIN_TOKEN, so the log could not tell who used it; take another one' })
  }
  if (HOST !== undefined && ADMIN_PORT === PORT && overlap(HOST, ADMIN_HOST)) {
    faults.push({ variable: 'ADMIN_PORT', message: `is ${ADMIN_PORT}, the same as PORT; give the operator's listener a port of its own, or 0, which turns it off` })
  }
  return faults
}

/** Whether two servers that listen on these hosts conflict on the same port. */
function overlap (one: string, other: string): boolean {
  return one === other || [one, other].some(host => host === '0.0.0.0' || host === '::') || (isLoopback(one) && isLoopback(other))
}
