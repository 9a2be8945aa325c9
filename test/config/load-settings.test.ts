import t from 'tap'
import { ConfigurationError, type ConfigurationFault } from '../../src/config/configuration-error.js'
import { settingDescriptions } from '../../src/config/describe-settings.js'
import { loadClientSettings, loadOwnToken, loadSettings, loadVariables, type SettingsSource } from '../../src/config/load-settings.js'
import type { Settings } from '../../src/config/settings.js'
import { watchdogSettings } from '../../src/config/watchdog-settings.js'

function load (environment: Record<string, string | undefined>, text?: string): Settings {
  return loadSettings({ environment, ...text === undefined ? {} : { envFile: { path: '.env', text } } })
}

function faultsOf (load: (source: SettingsSource) => unknown, environment: Record<string, string>, text?: string): readonly ConfigurationFault[] {
  try {
    load({ environment, ...text === undefined ? {} : { envFile: { path: '.env', text } } })
  } catch (error) {
    if (error instanceof ConfigurationError) return error.faults
    throw error
  }
  return []
}

function messageOf (environment: Record<string, string>, text?: string): string {
  return faultsOf(loadSettings, environment, text).map(fault => `${fault.variable} ${fault.message}`).join('\n')
}

t.test('without any variable, the defaults are used', async t => {
  const settings = load({})
  t.match(settings, {
    HOST: '127.0.0.1',
    PORT: 3000,
    TRUST_PROXY: false,
    BODY_LIMIT_BYTES: 1_048_576,
    VOUCHERIFY_WEBHOOK_SECRETS: { length: 0 },
    FORWARDERS: ['log'],
    RETENTION_MAX_BYTES: 10_737_418_240
  })
  t.notOk('HTTP_FORWARDER_URL' in settings)
  t.notOk('FILE_FORWARDER_PATH' in settings)
  t.ok(Object.isFrozen(settings))
})

t.test('settings of two starts share no objects', async t => {
  load({}).FORWARDERS.push('file')
  t.same(load({}).FORWARDERS, ['log'])
})

t.test('every kind of value is read', async t => {
  const settings = load({
    HOST: '::1',
    PORT: ' 8080\n',
    LOG_LEVEL: 'silent',
    ALLOW_UNSIGNED: 'true',
    FORWARDERS: 'log, file,http',
    HTTP_FORWARDER_URL: 'https://backend.example/events?key=1',
    FILE_FORWARDER_PATH: '/var/log/events.ndjson',
    ALLOWED_SOURCES: 'eu1, 10.0.0.0/8,::1',
    ALLOWED_SOURCES_MODE: 'enforce',
    RETENTION_MAX_BYTES: '0'
  })
  t.match(settings, {
    HOST: '::1',
    PORT: 8080,
    LOG_LEVEL: 'silent',
    ALLOW_UNSIGNED: true,
    FORWARDERS: ['log', 'file', 'http'],
    HTTP_FORWARDER_URL: 'https://backend.example/events?key=1',
    FILE_FORWARDER_PATH: '/var/log/events.ndjson',
    ALLOWED_SOURCES: ['eu1', '10.0.0.0/8', '::1'],
    ALLOWED_SOURCES_MODE: 'enforce',
    RETENTION_MAX_BYTES: 0
  })
})

t.test('whole numbers are read strictly, and the fault names the range, the unit and the value', async t => {
  for (const text of ['', '0', '65535']) t.equal(messageOf({ PORT: text }), '')
  for (const text of ['65536', '-1', '1e3', '0x10', '3_000', '+1', '007', '3000.0', '3000ms', ' ', 'NaN', '99999999999999999999']) {
    t.match(messageOf({ PORT: text }), /^PORT ".*must be a whole number from 0 to 65535/)
  }
  t.match(messageOf({ BODY_LIMIT_BYTES: '1023' }), 'BODY_LIMIT_BYTES "1023" must be a whole number of bytes from 1024 to 67108864')
})

t.test('true and false are the only boolean values', async t => {
  for (const text of ['1', 'yes', 'TRUE', 'on', ' ']) t.match(messageOf({ ALLOW_UNSIGNED: text }), /^ALLOW_UNSIGNED .*must be true or false/)
})

t.test('a wrong choice or list entry is refused with the possible values', async t => {
  t.match(messageOf({ LOG_LEVEL: 'verbose' }), 'LOG_LEVEL "verbose" must be one of fatal, error, warn, info, debug, trace, silent')
  t.match(messageOf({ FORWARDERS: 'log,kafka' }), 'must be a comma-separated list of log, file, http; "kafka" is not one of these')
  t.match(messageOf({ FORWARDERS: 'log,file,log' }), 'names log twice')
  t.match(messageOf({ FORWARDERS: 'log,' }), '"" is not one of these')
  t.match(messageOf({ ALLOWED_SOURCES: 'eu1,eu9' }), '"eu9" is not one of these')
  t.match(messageOf({ DATA_DIR: '  ' }), 'DATA_DIR "  " is blank')
})

t.test('an address to listen on has no scheme, port or brackets', async t => {
  for (const text of ['localhost', 'my_host.internal', '::', '0.0.0.0', '10.1.2.3']) {
    t.equal(messageOf({ HOST: text, ALLOW_UNSIGNED: 'true' }), '')
  }
  for (const text of ['http://localhost', '127.0.0.1:3000', '[::1]', 'a b', '-', ' ']) {
    t.match(messageOf({ HOST: text }), /^HOST .*must be an address or a host name alone/)
  }
})

t.test('trusted proxies have the forms that Fastify knows, but not a number of hops, with which Fastify trusts none', async t => {
  for (const [text, value] of [['true', true], ['false', false]] as const) {
    t.equal(load({ TRUST_PROXY: text }).TRUST_PROXY, value)
  }
  t.same(load({ TRUST_PROXY: 'loopback, 10.0.0.0/8, fc00::/7,192.0.2.1' }).TRUST_PROXY, ['loopback', '10.0.0.0/8', 'fc00::/7', '192.0.2.1'])
  for (const text of ['yes', '10.0.0.0/33', 'loopback,', '10.1', '-1']) t.match(messageOf({ TRUST_PROXY: text }), /^TRUST_PROXY .*not one of these/)
  t.match(messageOf({ TRUST_PROXY: '1' }), 'is a number of hops, by which tierhook cannot tell a proxy from a sender')
})

t.test('secrets are trimmed, also of a trailing new line, and an odd one is refused without being shown', async t => {
  t.same(load({ VOUCHERIFY_WEBHOOK_SECRETS: 'old-key , new-key\n' }).VOUCHERIFY_WEBHOOK_SECRETS, ['old-key', 'new-key'])
  const cases: ReadonlyArray<readonly [string, RegExp]> = [
    ['hunter2,', /no secret in item 2/],
    [' \n', /has no secret;/],
    ['hunter2\nhunter2', /white space inside the secret;/],
    ['ok,hunter 2', /white space inside the secret in item 2/],
    ['"hunter2"', /quotation marks around/]
  ]
  for (const [text, reason] of cases) {
    const message = messageOf({ VOUCHERIFY_WEBHOOK_SECRETS: text })
    t.match(message, reason)
    t.notMatch(message, 'hunter')
  }
})

t.test('required headers are separated by commas and new lines', async t => {
  t.same(load({ REQUIRED_HEADERS: 'X-Key: a, b,X-Url: http://x/?y=1,2\n\nx-last:3\r\n' }).REQUIRED_HEADERS, [
    { name: 'x-key', value: 'a, b' },
    { name: 'x-url', value: 'http://x/?y=1,2' },
    { name: 'x-last', value: '3' }
  ])
  const cases: ReadonlyArray<readonly [string, RegExp]> = [
    ['hunter2', /no "Name: value" as item 1/],
    ['X-A: hunter2\nbad name: hunter2', /as item 2/],
    ['X-A:', /no value that a header can carry for x-a/],
    ['X-A: hunter2\u2603', /no value that a header can carry/],
    ['X-A: hunter2,', /comma at the end of x-a/],
    ['X-A: hunter2,x-a: hunter3', /names x-a twice/],
    [' ', /is blank/]
  ]
  for (const [text, reason] of cases) {
    const message = messageOf({ REQUIRED_HEADERS: text })
    t.match(message, reason)
    t.notMatch(message, 'hunter')
  }
})

t.test('a URL to post to is http or https, has no credentials, and is never shown', async t => {
  for (const text of ['ftp://x/hunter2', 'hunter2.example', 'http://', '/hunter2', 'https://user:hunter2@x.example/']) {
    const message = messageOf({ HTTP_FORWARDER_URL: text })
    t.match(message, /^HTTP_FORWARDER_URL \(value not shown\) must/)
    t.notMatch(message, 'hunter2')
  }
  t.match(messageOf({ HTTP_FORWARDER_URL: 'https://user:hunter2@x.example/' }), 'must not carry a user name or password')
})

t.test('contradictory settings are refused with the variable to change', async t => {
  t.match(messageOf({ HOST: '0.0.0.0' }), /^VOUCHERIFY_WEBHOOK_SECRETS is not set or empty, but HOST is "0\.0\.0\.0".*ALLOW_UNSIGNED/)
  t.equal(messageOf({ HOST: '0.0.0.0', VOUCHERIFY_WEBHOOK_SECRETS: 'k' }), '')
  t.equal(messageOf({ HOST: '0.0.0.0', ALLOW_UNSIGNED: 'true' }), '')
  t.equal(messageOf({ HOST: '127.0.0.2' }), '')
  t.match(messageOf({ ALLOWED_SOURCES_MODE: 'enforce' }), /^ALLOWED_SOURCES is not set, but ALLOWED_SOURCES_MODE is enforce/)
  t.match(messageOf({ FORWARDERS: 'http' }), /^HTTP_FORWARDER_URL is not set, but FORWARDERS names http/)
  t.match(messageOf({ RETRY_MIN_MS: '2000', RETRY_MAX_MS: '1000' }), /^RETRY_MIN_MS is 2000, more than RETRY_MAX_MS, which is 1000/)
  t.match(messageOf({ DEDUPE_UNIDENTIFIED_SECONDS: '86401', DEDUPE_WINDOW_DAYS: '1' }), /^DEDUPE_UNIDENTIFIED_SECONDS is 86401, more than DEDUPE_WINDOW_DAYS, which is 1 \(86400 seconds\)/)
})

t.test('a forwarders file replaces every other variable about forwarders', async t => {
  t.equal(load({ FORWARDERS_FILE: 'forwarders.json' }).FORWARDERS_FILE, 'forwarders.json')
  t.notOk('FORWARDERS_FILE' in load({ FORWARDERS_FILE: '' }))
  t.equal(messageOf({ FORWARDERS_FILE: 'a', FORWARDERS: '', RETRY_MAX_MS: '2000' }), '')
  t.same(faultsOf(loadSettings, { FORWARDERS_FILE: 'a', FORWARDERS: 'log', HTTP_FORWARDER_SECRETS: 'whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz' }, 'LOG_FORWARDER_DATA=false').map(({ variable }) => variable), [
    'FORWARDERS', 'LOG_FORWARDER_DATA', 'HTTP_FORWARDER_SECRETS'
  ])
  t.match(messageOf({ FORWARDERS_FILE: 'a', FORWARDERS: 'log' }), 'FORWARDERS is set, but so is FORWARDERS_FILE, which says all about forwarders; remove the one or the other')
})

t.test('variables that a forwarders file uses may be in the .env file, but a misspelt one is still a fault', async t => {
  t.match(messageOf({}, 'CRM_TOKEN=hunter2'), /^CRM_TOKEN is not a variable of tierhook/)
  t.equal(messageOf({ FORWARDERS_FILE: 'a' }, 'CRM_TOKEN=hunter2'), '')
  t.equal(messageOf({}, 'CRM_TOKEN=hunter2\nFORWARDERS_FILE=a'), '')
  t.match(messageOf({ FORWARDERS_FILE: 'a' }, 'CRM_TOKEN=1\nCRM_TOKEN=2'), /^CRM_TOKEN is set twice/)
  t.match(messageOf({ FORWARDERS_FILE: 'a' }, 'VOUCHERIFY_WEBHOOK_SECRET=hunter2'), /did you mean VOUCHERIFY_WEBHOOK_SECRETS\?$/)
})

t.test('the log names the set variables: the environment before the file, and no empty ones', async t => {
  const envFile = { path: '.env', text: 'A=file\nB=file\nC=file\n' }
  t.same(loadVariables({ environment: { A: 'environment', B: '', D: undefined, E: 'environment' }, envFile }), { A: 'environment', B: 'file', C: 'file', E: 'environment' })
  t.same(loadVariables({ environment: { A: '1' } }), { A: '1' })
})

t.test('all faults are reported at once, one line each, and a variable that cannot be read causes no second fault', async t => {
  const environment = {
    HOST: '0.0.0.0',
    PORT: 'http',
    VOUCHERIFY_WEBHOOK_SECRETS: 'hunter 2',
    FORWARDERS: 'http',
    HTTP_FORWARDER_URL: 'hunter2',
    RETRY_MIN_MS: 'soon',
    RETRY_MAX_MS: '1'
  }
  const names = faultsOf(loadSettings, environment, 'PROT=1\nLOG_LEVEL=loud').map(fault => fault.variable)
  t.same(names, ['PROT', 'PORT', 'LOG_LEVEL', 'VOUCHERIFY_WEBHOOK_SECRETS', 'HTTP_FORWARDER_URL', 'RETRY_MIN_MS'])
  t.throws(() => load(environment), {
    name: 'ConfigurationError',
    code: 'CONFIGURATION_INVALID',
    message: /^The configuration has 4 faults:\n( {2}[A-Z_]+: .+\n){3} {2}[A-Z_]+: .+$/
  })
  t.throws(() => load({ PORT: 'x' }), { message: /^The configuration has a fault:\n {2}PORT: "x" must be/ })
})

t.test('a long value is cut short in its fault', async t => {
  t.match(messageOf({ LOG_LEVEL: 'x'.repeat(1000) }), /^LOG_LEVEL "x{80}…" must be/)
})

t.test('the environment wins over the file, and an empty text in it counts as not set', async t => {
  t.equal(load({ PORT: '1' }, 'PORT=2').PORT, 1)
  t.equal(load({ PORT: '' }, 'PORT=2').PORT, 2)
  t.equal(load({ PORT: '' }, 'PORT=').PORT, 3000)
  t.match(messageOf({}, 'PORT=x'), 'PORT "x" in .env must be')
})

t.test('an empty secret counts as not set and does not open the service to others', async t => {
  t.match(messageOf({ HOST: '0.0.0.0', VOUCHERIFY_WEBHOOK_SECRETS: '' }), /^VOUCHERIFY_WEBHOOK_SECRETS is not set or empty/)
})

t.test('the environment may have variables of other programs', async t => {
  t.equal(messageOf({ PATH: '/bin', PROT: '1' }), '')
})

t.test('a client command reads only the settings that it needs', async t => {
  t.same(loadClientSettings({ environment: { PORT: '4000', HOST: '0.0.0.0', LOG_LEVEL: 'loud' } }), {
    HOST: '0.0.0.0', PORT: 4000, ADMIN_HOST: '127.0.0.1', ADMIN_PORT: 3001, VOUCHERIFY_WEBHOOK_SECRETS: []
  })
  t.same(loadClientSettings({ environment: {}, envFile: { path: '.env', text: 'VOUCHERIFY_WEBHOOK_SECRETS=a,b\nNONSENSE=1' } }).VOUCHERIFY_WEBHOOK_SECRETS, ['a', 'b'])
  t.same(faultsOf(loadClientSettings, { PORT: 'x', HOST: '[::1]' }).map(fault => fault.variable), ['HOST', 'PORT'])
})

t.test('an operator\'s listener that other machines can reach needs a token that cannot be guessed', async t => {
  for (const ADMIN_HOST of ['127.0.0.1', 'localhost', '::1']) t.equal(messageOf({ ADMIN_HOST }), '')
  for (const ADMIN_HOST of ['0.0.0.0', '::', '10.0.0.1', 'ops.internal']) {
    t.match(messageOf({ ADMIN_HOST }), /^ADMIN_TOKEN is not set or empty, but ADMIN_HOST is/)
    t.equal(messageOf({ ADMIN_HOST, ADMIN_PORT: '0' }), '', 'port 0 switches the operator\'s listener off')
    t.equal(messageOf({ ADMIN_HOST, ADMIN_TOKEN: '5f0c9b7ae1d24368b7f1c2d3' }), '')
    t.equal(messageOf({ ADMIN_HOST, ADMIN_TOKENS: 'anna:operate:5f0c9b7ae1d24368b7f1c2d3' }), '')
  }
  t.match(messageOf({ ADMIN_HOST: '0.0.0.0', ADMIN_TOKEN: 'x'.repeat(23) }), /^ADMIN_TOKEN \(value not shown\) must have 24 characters or more/)
  t.match(messageOf({ ADMIN_TOKEN: 'x'.repeat(24) }), /^ADMIN_TOKEN \(value not shown\) can be guessed.*"openssl rand -hex 32" makes a good one$/)
  t.match(messageOf({ ADMIN_TOKEN: 'changeme-changeme-changeme' }), /^ADMIN_TOKEN \(value not shown\) is a placeholder/)
  t.match(messageOf({ ADMIN_TOKEN: 'a token with spaces in it, long' }), /may contain only letters, digits/)
})

t.test('two listeners at the same address are refused', async t => {
  for (const [HOST, ADMIN_HOST] of [['127.0.0.1', '127.0.0.1'], ['0.0.0.0', '127.0.0.1'], ['127.0.0.1', '::'], ['localhost', '127.0.0.1']] as const) {
    t.match(messageOf({ HOST, ADMIN_HOST, PORT: '4000', ADMIN_PORT: '4000', ADMIN_TOKEN: '5f0c9b7ae1d24368b7f1c2d3', ALLOW_UNSIGNED: 'true' }), /^ADMIN_PORT is 4000, the same as PORT/)
  }
  t.equal(messageOf({ PORT: '0', ADMIN_PORT: '0' }), '')
  t.equal(messageOf({ HOST: '10.0.0.1', ALLOW_UNSIGNED: 'true', PORT: '4000', ADMIN_PORT: '4000' }), '', 'the same port is fine on two different addresses')
})

t.test('expected events are a list of patterns with times, each pattern once', async t => {
  t.same(load({ EXPECT_EVENT_WITHIN: '*=24h, customer.loyalty.tier.* = 7d,source:distr_abc=90m,a.b=30s' }).EXPECT_EVENT_WITHIN, [
    { pattern: '*', withinMs: 86_400_000 }, { pattern: 'customer.loyalty.tier.*', withinMs: 604_800_000 }, { pattern: 'source:distr_abc', withinMs: 5_400_000 }, { pattern: 'a.b', withinMs: 30_000 }
  ])
  const cases: Array<[string, RegExp]> = [
    ['*', /; "\*" is not one$/],
    ['*=24', /"\*=24" is not one/],
    ['*=1w', /is not one/],
    ['source:=1h', /is not one/],
    ['a b=1h', /is not one/],
    ['*=1h,', /; "" is not one/],
    ['*=0h', /must have a time from 1s to 366d for \*/],
    ['*=367d', /must have a time from 1s to 366d/],
    ['*=1h,*=2h', /names \* twice/],
    [Array.from({ length: 21 }, (_, index) => `a${index}=1h`).join(','), /must not name more than 20/]
  ]
  for (const [text, reason] of cases) t.match(messageOf({ EXPECT_EVENT_WITHIN: text }), reason)
})

t.test('values to hide in the log are a list of paths', async t => {
  t.same(load({ LOG_REDACT: 'sourceAddress, data.customer.email,*.metadata,data["x-y"][0],[*].a' }).LOG_REDACT, ['sourceAddress', 'data.customer.email', '*.metadata', 'data["x-y"][0]', '[*].a'])
  for (const text of ['a..b', 'a,', 'a.b.', 'x-y', 'a[', 'a["b]', 'a b', 'a["b,c"]']) t.match(messageOf({ LOG_REDACT: text }), /^LOG_REDACT .*must be a comma-separated list of paths such as .* is not one$/)
})

t.test('a path to hide may not use a name from the prototype of objects', async t => {
  for (const text of ['__proto__', 'data.__proto__.email', 'a,data["__proto__"].b', "data['constructor'].prototype", '*.constructor', '[*].prototype', '["prototype"]']) {
    t.match(messageOf({ LOG_REDACT: text }), /^LOG_REDACT .*must name no __proto__, no constructor, no prototype: .*; take .* out$/)
  }
  t.same(load({ LOG_REDACT: 'data.constructors,data.prototype_id,data["my constructor"]' }).LOG_REDACT, ['data.constructors', 'data.prototype_id', 'data["my constructor"]'])
})

t.test('names of custom webhooks each make a URL and an event type, and differ by more than case', async t => {
  t.same(load({}).CUSTOM_WEBHOOKS, [])
  t.same(load({ CUSTOM_WEBHOOKS: 'crm, Crm-Sync_2.x' }).CUSTOM_WEBHOOKS, ['crm', 'Crm-Sync_2.x'])
  const cases: ReadonlyArray<readonly [string, RegExp]> = [
    ['crm,', /^CUSTOM_WEBHOOKS "crm," must be a comma-separated list of names .*; "" is not one$/],
    ['a/b', /"a\/b" is not one/],
    ['..', /"\.\." is not one/],
    ['*', /"\*" is not one/],
    ['n'.repeat(101), /is not one/],
    ['crm,erp,CRM', /names CRM twice; name each once/],
    [Array.from({ length: 101 }, (_, index) => `n${index}`).join(','), /must not name more than 100/]
  ]
  for (const [text, reason] of cases) t.match(messageOf({ CUSTOM_WEBHOOKS: text }), reason, text.slice(0, 20))
})

const watchdog = {
  PUBLIC_URL: 'https://hooks.example.com', VOUCHERIFY_MANAGEMENT_ID: 'hunter2', VOUCHERIFY_MANAGEMENT_TOKEN: 'hunter2', VOUCHERIFY_PROJECT_ID: 'proj_1', VOUCHERIFY_REGION: 'us1'
}

t.test('the watchdog is off without its settings, and on with a region or an address', async t => {
  const { VOUCHERIFY_REGION: _, ...rest } = watchdog
  t.equal(watchdogSettings(load({})), undefined)
  t.equal(watchdogSettings(load({ PUBLIC_URL: watchdog.PUBLIC_URL })), undefined)
  t.match(watchdogSettings(load(watchdog)), { publicUrl: 'https://hooks.example.com', projectId: 'proj_1', managementUrl: 'https://us1.api.voucherify.io', reenable: false })
  t.match(watchdogSettings(load({ ...rest, VOUCHERIFY_MANAGEMENT_URL: 'https://own.example/x', VOUCHERIFY_REENABLE: 'true' })), { managementUrl: 'https://own.example/x', reenable: true })
  t.match(watchdogSettings(load({ ...watchdog, VOUCHERIFY_REGION: 'eu1' })), { managementUrl: 'https://api.voucherify.io' })
  t.match(watchdogSettings(load({ ...watchdog, VOUCHERIFY_REGION: 'as1' })), { managementUrl: 'https://as1.api.voucherify.io' })
})

t.test('an incomplete set of watchdog settings is a fault that names each missing variable', async t => {
  for (const name of ['PUBLIC_URL', 'VOUCHERIFY_MANAGEMENT_ID', 'VOUCHERIFY_MANAGEMENT_TOKEN', 'VOUCHERIFY_PROJECT_ID', 'VOUCHERIFY_REGION']) {
    t.same(faultsOf(loadSettings, { ...watchdog, [name]: '' }).map(fault => fault.variable), [name])
  }
  for (const [name, value] of Object.entries({ ...watchdog, VOUCHERIFY_REENABLE: 'true', VOUCHERIFY_MANAGEMENT_URL: 'https://own.example' })) {
    if (name === 'PUBLIC_URL') continue
    const faults = faultsOf(loadSettings, { [name]: value })
    t.ok(faults.length >= 4, name)
    for (const { message } of faults) t.match(message, `is not set, but ${name} is`)
  }
  t.match(messageOf({ ...watchdog, VOUCHERIFY_MANAGEMENT_URL: 'https://own.example' }), /^VOUCHERIFY_MANAGEMENT_URL is set, but so is VOUCHERIFY_REGION/)
  t.same(faultsOf(loadSettings, { VOUCHERIFY_REENABLE: 'false' }), [])
  t.same(faultsOf(loadSettings, { ...watchdog, VOUCHERIFY_PROJECT_ID: '../x' }).map(fault => fault.variable), ['VOUCHERIFY_PROJECT_ID'], 'an unreadable setting is not reported as missing too')
})

t.test('a management token is never sent without TLS, never breaks a header, and is never shown', async t => {
  const { VOUCHERIFY_REGION: _, ...rest } = watchdog
  for (const url of ['http://own.example', 'ftp://own.example', 'https://user:hunter2@own.example', 'https://own.example?hunter2', 'own.example']) {
    const message = messageOf({ ...rest, VOUCHERIFY_MANAGEMENT_URL: url })
    t.match(message, /^VOUCHERIFY_MANAGEMENT_URL \(value not shown\) must/, url)
    t.notMatch(message, 'hunter2')
  }
  for (const url of ['http://127.0.0.1:8080', 'http://[::1]', 'http://localhost']) t.same(faultsOf(loadSettings, { ...rest, VOUCHERIFY_MANAGEMENT_URL: url }), [], url)
  for (const token of ['hunter2 hunter2', 'hunter2\r\nx: y', 'hünter2']) {
    const message = messageOf({ ...watchdog, VOUCHERIFY_MANAGEMENT_TOKEN: token })
    t.match(message, /^VOUCHERIFY_MANAGEMENT_TOKEN \(value not shown\) must be/)
    t.notMatch(message, 'nter2')
  }
  t.match(messageOf({ PUBLIC_URL: 'https://hooks.example.com/?x' }), /^PUBLIC_URL .* no query/)
})

t.test('the address of a shared journal is checked, and never shown', async t => {
  for (const text of ['mysql://x:hunter2@db/x', 'postgres://x:hunter2#@db/x', 'postgres://x:hunter2@db', 'postgres:///x?password=hunter2', 'postgres://x:hunter2@db:port/x']) {
    const message = messageOf({ JOURNAL: text })
    t.match(message, /^JOURNAL \(value not shown\) /, text)
    t.notMatch(message, 'hunter2')
  }
  for (const text of ['postgres://tierhook@db.example/journal?sslmode=verify-full', 'postgresql:///journal?host=/run/postgresql']) t.same(faultsOf(loadSettings, { JOURNAL: text }), [], text)
  for (const [name, text] of [['JOURNAL_SCHEMA', 'pg_mine'], ['JOURNAL_SCHEMA', 'Tier-Hook'], ['JOURNAL_POOL_SIZE', '2'], ['REPLICA_NAME', 'a b']] as const) t.match(messageOf({ [name]: text }), name)
  const shared = { JOURNAL: 'postgres://tierhook@db.example/journal' }
  t.same(faultsOf(loadSettings, { ...shared, ...watchdog, EXPECT_EVENT_WITHIN: '*=1h', VOUCHERIFY_REENABLE: 'true' }), [], 'replicas with a shared journal may use these settings')
})

t.test('each secret can be in a file that a second variable names, and no other setting can', async t => {
  const texts: Readonly<Record<string, string>> = {
    ADMIN_TOKEN: '5f0c9b7ae1d24368b7f1c2d3',
    ADMIN_TOKENS: 'anna:operate:c2d35f0c9b7ae1d24368b7f1',
    VOUCHERIFY_WEBHOOK_SECRETS: 'old,new',
    REQUIRED_HEADERS: 'X-Factor: two',
    JOURNAL: 'postgres://tierhook:hunter2@db.example/tierhook',
    HTTP_FORWARDER_URL: 'https://shop.example/key',
    HTTP_FORWARDER_HEADERS: 'X-Key: key',
    HTTP_FORWARDER_SECRETS: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
    PUBLIC_URL: 'https://hooks.example',
    VOUCHERIFY_MANAGEMENT_ID: 'id-of-management',
    VOUCHERIFY_MANAGEMENT_TOKEN: 'token-of-management',
    VOUCHERIFY_MANAGEMENT_URL: 'https://api.voucherify.example'
  }
  const others = { FORWARDERS: 'http', VOUCHERIFY_PROJECT_ID: 'proj_1' }
  const secrets = settingDescriptions.filter(({ secret }) => secret).map(({ name }) => name)
  t.same(new Set(secrets), new Set(Object.keys(texts)), 'this test covers each secret setting')
  const directory = t.testdir(Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, `${text}\n`])))
  const files = Object.fromEntries(Object.keys(texts).map((name) => [`${name}_FILE`, name]))
  const direct = loadSettings({ environment: { ...others, ...texts } })
  t.same(loadSettings({ environment: { ...others, ...files }, directory }), direct, '_FILE variables from the environment')
  const text = Object.entries({ ...others, ...files }).map(([name, path]) => `${name}=${path}`).join('\n')
  t.same(loadSettings({ environment: {}, envFile: { path: '.env', text }, directory }), direct, '_FILE variables from the .env file')
  t.equal(loadSettings({ environment: { PUBLIC_URL: 'https://other.example' }, envFile: { path: '.env', text }, directory }).PUBLIC_URL, 'https://other.example', 'the environment overrides the .env file')
  t.match(faultsOf(loadSettings, {}, 'PORT_FILE=x'), [{ variable: 'PORT_FILE', message: /is not a variable of tierhook/ }])
})

t.test('a secret\'s file that is missing, empty or too large, or has a second value beside it, is reported without its content', async t => {
  const directory = t.testdir({ empty: ' \n', large: 'x'.repeat(70_000), weak: 'short\n' })
  const messageWith = (environment: Readonly<Record<string, string>>): string => {
    try {
      loadSettings({ environment, directory })
      return ''
    } catch (error) {
      return String(error)
    }
  }
  t.match(messageWith({ ADMIN_HOST: '0.0.0.0', ADMIN_TOKEN_FILE: 'gone' }), /has a fault:\n {2}ADMIN_TOKEN_FILE: "gone" cannot be read \(ENOENT\)/)
  t.match(messageWith({ ADMIN_TOKEN_FILE: '.' }), /cannot be read \(EISDIR\)/)
  t.match(messageWith({ ADMIN_TOKEN_FILE: 'empty' }), /"empty" is empty; it should hold the secret/)
  t.match(messageWith({ ADMIN_TOKEN_FILE: 'large' }), /has more than 65536 bytes/)
  t.match(messageWith({ ADMIN_TOKEN_FILE: 'weak' }), /ADMIN_TOKEN: \(value not shown\) in weak must have 24 characters/)
  t.match(messageWith({ ADMIN_TOKEN_FILE: 'weak', ADMIN_TOKEN: '5f0c9b7ae1d24368b7f1c2d3' }), /ADMIN_TOKEN: is set, but so is ADMIN_TOKEN_FILE/)
  t.notMatch(messageWith({ ADMIN_TOKEN_FILE: 'weak' }), 'short')
})

t.test('a command uses ADMIN_TOKEN for the operator\'s listener, or else the first of ADMIN_TOKENS', async t => {
  const directory = t.testdir({ token: 'token-in-a-file\n' })
  const ADMIN_TOKENS = 'anna:operate:c2d35f0c9b7ae1d24368b7f1,ben:read:7ae1d24368b7f1c2d35f0c9b'
  t.equal(loadOwnToken({ environment: { ADMIN_TOKEN: 'sole', ADMIN_TOKENS } }), 'sole')
  t.equal(loadOwnToken({ environment: { ADMIN_TOKENS } }), 'c2d35f0c9b7ae1d24368b7f1')
  t.equal(loadOwnToken({ environment: { ADMIN_TOKEN_FILE: 'token' }, directory }), 'token-in-a-file')
  t.equal(loadOwnToken({ environment: {}, envFile: { path: '.env', text: 'ADMIN_TOKEN=from-the-file' } }), 'from-the-file')
  t.equal(loadOwnToken({ environment: {} }), undefined)
  t.throws(() => loadOwnToken({ environment: { ADMIN_TOKENS_FILE: 'gone' }, directory }), { code: 'CONFIGURATION_INVALID' })
})
