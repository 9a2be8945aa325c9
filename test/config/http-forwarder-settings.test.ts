import { randomBytes } from 'node:crypto'
import t from 'tap'
import { ConfigurationError } from '../../src/config/configuration-error.js'
import { loadSettings } from '../../src/config/load-settings.js'
import type { Settings } from '../../src/config/settings.js'

function load (environment: Record<string, string>): Settings {
  return loadSettings({ environment })
}

function messageOf (environment: Record<string, string>): string {
  try {
    load(environment)
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message
    throw error
  }
  return ''
}

const secret = (): string => `whsec_${randomBytes(32).toString('base64')}`

t.test('every setting of the http forwarder is read', async (t) => {
  const [before, after] = [secret(), secret()]
  t.match(load({
    HTTP_FORWARDER_CONCURRENCY: '1',
    HTTP_FORWARDER_ORDER: 'none',
    HTTP_FORWARDER_FORMAT: 'cloudevents-binary',
    HTTP_FORWARDER_SECRETS: `${before} ,\n${after}\n`,
    HTTP_FORWARDER_HEADERS: 'Authorization: Bearer a b, X-Team: loyalty',
    HTTP_FORWARDER_PERMANENT_STATUS: '404, 410,422'
  }), {
    HTTP_FORWARDER_CONCURRENCY: 1,
    HTTP_FORWARDER_ORDER: 'none',
    HTTP_FORWARDER_FORMAT: 'cloudevents-binary',
    HTTP_FORWARDER_SECRETS: [before, after],
    HTTP_FORWARDER_HEADERS: { authorization: 'Bearer a b', 'x-team': 'loyalty' },
    HTTP_FORWARDER_PERMANENT_STATUS: [404, 410, 422]
  })
})

t.test('an unusable signing secret is refused with a way to make one, and is not shown', async (t) => {
  const wrong = [
    'hunter2', 'whsec_', 'whsec_hunter2', `whsec_${randomBytes(23).toString('base64')}`, `whsec_${randomBytes(65).toString('base64')}`,
    secret().replace('=', ''), secret().replace('whsec_', '')
  ]
  for (const text of wrong) {
    const message = messageOf({ HTTP_FORWARDER_SECRETS: `${secret()},${text}` })
    t.match(message, /HTTP_FORWARDER_SECRETS: \(value not shown\) must be whsec_ and the base64 of 24 to 64 random bytes, and item 2 is not; make one with: node -p/)
    t.notMatch(message, 'hunter2')
  }
  t.match(messageOf({ HTTP_FORWARDER_SECRETS: `${secret()},` }), /no secret in item 2/)
})

t.test('permanent statuses must be failures', async (t) => {
  for (const text of ['200', '99', '600', '4xx', '404,', '410 404', ' ']) {
    t.match(messageOf({ HTTP_FORWARDER_PERMANENT_STATUS: text }), /must be a comma-separated list of HTTP statuses from 300 to 599; ".*" is not one/)
  }
})
