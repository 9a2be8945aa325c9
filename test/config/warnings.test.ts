import t from 'tap'
import { loadSettings } from '../../src/config/load-settings.js'
import { findWarnings } from '../../src/config/warnings.js'

function warned (environment: Record<string, string>): string[] {
  return findWarnings(loadSettings({ environment })).map(warning => `${warning.variable} ${warning.message}`)
}

t.test('a start without a secret is warned about, on loopback and elsewhere', async t => {
  t.match(warned({}), [/^VOUCHERIFY_WEBHOOK_SECRETS is not set/])
  t.match(warned({ HOST: '0.0.0.0', ALLOW_UNSIGNED: 'true' }), [/^VOUCHERIFY_WEBHOOK_SECRETS is not set/])
})

t.test('settings that have no effect, or an unexpected one, are warned about', async t => {
  const secret = { VOUCHERIFY_WEBHOOK_SECRETS: 'k' }
  t.same(warned({ ...secret, TRUST_PROXY: 'loopback', ALLOWED_SOURCES: 'eu1' }), [])
  t.match(warned({ ...secret, ALLOW_UNSIGNED: 'true' }), [/^ALLOW_UNSIGNED has no effect/])
  t.match(warned({ ...secret, TRUST_PROXY: 'true', ALLOWED_SOURCES: 'eu1' }), [/^TRUST_PROXY is true/])
  t.match(warned({ ...secret, HTTP_FORWARDER_URL: 'http://x' }), [/^HTTP_FORWARDER_URL is set, but/])
})
