import type { ConfigurationFault } from './configuration-error.js'
import type { Settings } from './settings.js'

/** Finds settings that do not stop the start but that an operator should know of. Never contains a secret. */
export function findWarnings (settings: Settings): ConfigurationFault[] {
  const warnings: ConfigurationFault[] = []
  if (settings.VOUCHERIFY_WEBHOOK_SECRETS.length === 0) {
    warnings.push({ variable: 'VOUCHERIFY_WEBHOOK_SECRETS', message: 'is not set: webhooks are accepted without a signature from anyone who can reach the service, except from pages of other sites in a browser' })
  } else if (settings.ALLOW_UNSIGNED) {
    warnings.push({ variable: 'ALLOW_UNSIGNED', message: 'has no effect, because VOUCHERIFY_WEBHOOK_SECRETS is set: every webhook has to be signed' })
  }
  if (settings.TRUST_PROXY === true && settings.ALLOWED_SOURCES.length > 0) {
    warnings.push({ variable: 'TRUST_PROXY', message: 'is true: any sender can claim an address from ALLOWED_SOURCES in X-Forwarded-For; name your proxies\' addresses instead' })
  }
  if (settings.HTTP_FORWARDER_URL !== undefined && !settings.FORWARDERS.includes('http')) {
    warnings.push({ variable: 'HTTP_FORWARDER_URL', message: 'is set, but FORWARDERS does not name http: nothing is posted there' })
  }
  return warnings
}
