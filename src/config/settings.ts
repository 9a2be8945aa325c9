import { type StaticDecode, Type } from '@sinclair/typebox'
import { decodeHost, decodeSources, decodeTrustProxy } from './addresses.js'
import { decodeExpectations } from './decode-expectations.js'
import { decodeCredential, decodeHeaders } from './decode-http.js'
import { decodeLogPaths } from './decode-log-paths.js'
import { decodeJournal, decodeReplicaName, decodeSchemaName } from './decode-journal.js'
import { decodeNames } from './decode-names.js'
import { decodeSecrets } from './decode-secrets.js'
import { decodeToken, decodeTokens } from './decode-token.js'
import { decodeApiUrl, decodeBaseUrl, decodeId, decodeUrl } from './decode-url.js'
import { fileOptions, httpOptions, settingsOf, withData } from './forwarder-options.js'
import { setting } from './setting.js'

const group = {
  server: 'Server',
  authenticity: 'Authenticity',
  verdicts: 'Verdicts',
  forwarders: 'Forwarders',
  delivery: 'Delivery',
  watchdog: 'Watchdog'
} as const

const maximumTimerMs = 86_400_000

/**
 * Every environment variable that tierhook reads, by name. One entry makes a variable: from it come how its text is read, what is checked,
 * its default, the help of `serve` and what `.env.example` has to say.
 */
export const SettingsSchema = Type.Object({
  HOST: setting(Type.String({
    group: group.server,
    description: 'The address or name that the service listens at. 0.0.0.0 listens on every IPv4 address, :: on every address, and ' +
      'localhost at one alone, 127.0.0.1 where there is that.',
    default: '127.0.0.1'
  }), decodeHost),
  PORT: setting(Type.Integer({
    group: group.server,
    description: 'The TCP port that the service listens at. 0 takes any free one.',
    minimum: 0,
    maximum: 65_535,
    default: 3000
  })),
  ADMIN_HOST: setting(Type.String({
    group: group.server,
    description: 'The address or name that the operator\'s listener listens at: the page, the API, metrics. Beyond this machine it needs ADMIN_TOKEN or ADMIN_TOKENS.',
    default: '127.0.0.1'
  }), decodeHost),
  ADMIN_PORT: setting(Type.Integer({
    group: group.server,
    description: 'The TCP port of the operator\'s listener. 0 turns it off.',
    minimum: 0,
    maximum: 65_535,
    default: 3001
  })),
  ADMIN_TOKEN: Type.Optional(setting(Type.String({
    group: group.server,
    description: 'The bearer token that the operator\'s listener asks for, of 24 characters or more, such as openssl rand -hex 32 makes. ' +
      'One that can be guessed is refused: a placeholder, well-known words, a pattern. It, or one in ADMIN_TOKENS, is needed where ADMIN_HOST is not a loopback address.',
    secret: true,
    fallback: ''
  }), decodeToken)),
  ADMIN_TOKENS: setting(Type.Array(Type.Object({ name: Type.String(), role: Type.Union([Type.Literal('read'), Type.Literal('operate')]), token: Type.String() }, { additionalProperties: false }), {
    group: group.server,
    description: 'More such tokens, each with a name, which the log and the list of actions tell, and with what it may do: a comma-separated list of name:read:token and ' +
      'name:operate:token, such as prometheus:read:TOKEN,anna:operate:TOKEN. A read token changes nothing. ADMIN_TOKEN is an operate token called admin.',
    secret: true,
    default: []
  }), decodeTokens),
  PAGE_SHOWS_NAMES: setting(Type.Boolean({
    group: group.server,
    description: 'Whether the operator\'s page and API say customers\' names beside their ids where they tell who moved between tiers. The body of a delivery has them in any case.',
    default: false
  })),
  TRUST_PROXY: setting(Type.Union([Type.Boolean(), Type.Array(Type.String())], {
    group: group.server,
    description: 'Whose X-Forwarded-For is believed, as Fastify understands it: false (nobody), true (anybody: only where nothing ' +
      'but your proxy can reach the service), or a comma-separated list of the proxies\' addresses, CIDR blocks and the names loopback, ' +
      'linklocal, uniquelocal.',
    default: false
  }), decodeTrustProxy),
  BODY_LIMIT_BYTES: setting(Type.Integer({
    group: group.server,
    description: 'The largest request body that is taken; a larger one is answered 413.',
    unit: 'bytes',
    minimum: 1024,
    maximum: 67_108_864,
    default: 1_048_576
  })),
  SHUTDOWN_TIMEOUT_MS: setting(Type.Integer({
    group: group.server,
    description: 'How long stopping may take: answering what is in flight, draining the forwarders. Keep it below the time after ' +
      'which your platform kills the process (Docker: 10 seconds).',
    unit: 'milliseconds',
    minimum: 0,
    maximum: 3_600_000,
    default: 8000
  })),
  LOG_LEVEL: setting(Type.Union([
    Type.Literal('fatal'), Type.Literal('error'), Type.Literal('warn'), Type.Literal('info'), Type.Literal('debug'),
    Type.Literal('trace'), Type.Literal('silent')
  ], {
    group: group.server,
    description: 'The least level of the service\'s own log lines: fatal, error, warn, info, debug, trace or silent.',
    default: 'info'
  })),
  LOG_FORMAT: setting(Type.Union([Type.Literal('auto'), Type.Literal('lines'), Type.Literal('json')], {
    group: group.server,
    description: 'How the log is written: json, one object a line; lines, one line an event for a person; auto takes lines on a terminal and json elsewhere.',
    default: 'auto'
  })),
  LOG_REDACT: setting(Type.Array(Type.String(), {
    group: group.server,
    description: 'What is hidden in log lines, those of the log forwarder included: a comma-separated list of pino\'s redaction paths, ' +
      'such as sourceAddress,data.customer.email,data.*.metadata.',
    default: []
  }), decodeLogPaths),
  DATA_DIR: setting(Type.String({
    group: group.server,
    description: 'The directory that holds everything which has to survive a restart.',
    minLength: 1,
    default: './data'
  })),
  JOURNAL: Type.Optional(setting(Type.String({
    group: group.server,
    description: 'The PostgreSQL database, 14 or newer, that several replicas share as their journal: postgres://user:password@host:5432/database, with ' +
      '?sslmode=verify-full for TLS. Without it the journal is an SQLite database in DATA_DIR, which then is for one service alone.',
    secret: true,
    fallback: ''
  }), decodeJournal)),
  JOURNAL_SCHEMA: setting(Type.String({
    group: group.server,
    description: 'The schema of that database which holds the journal: tierhook makes it, and nothing else may be in it.',
    default: 'tierhook'
  }), decodeSchemaName),
  JOURNAL_POOL_SIZE: setting(Type.Integer({
    group: group.server,
    description: 'The most connections that each replica opens to that database.',
    minimum: 8,
    maximum: 100,
    default: 10
  })),
  REPLICA_NAME: Type.Optional(setting(Type.String({
    group: group.server,
    description: 'What this replica is called where several share a JOURNAL, and its home of file forwarders; the name of the machine unless it is set.',
    fallback: ''
  }), decodeReplicaName)),
  DISK_FREE_MIN_BYTES: setting(Type.Integer({
    group: group.server,
    description: 'How much has to be free on the disk of DATA_DIR for the service to be ready. 0 does not look.',
    unit: 'bytes',
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    default: 134_217_728
  })),
  EXPECT_EVENT_WITHIN: setting(Type.Array(Type.Object({ pattern: Type.String(), withinMs: Type.Number() }, { additionalProperties: false }), {
    group: group.server,
    description: 'What is expected to come, and how often at least: a comma-separated list of event types, in which * stands for any ' +
      'characters, or source: and a source\'s id, each with = and a time in s, m, h or d, such as *=24h,customer.loyalty.tier.*=7d,' +
      'source:distr_abc=2d. What stays away for longer is logged, and told by a metric. An event that any of several replicas accepts counts for all.',
    default: []
  }), decodeExpectations),

  VOUCHERIFY_WEBHOOK_SECRETS: setting(Type.Array(Type.String(), {
    group: group.authenticity,
    description: 'The secret key that Voucherify shows in Project settings, Webhooks. Comma-separated, so that the old and the new ' +
      'one are both accepted during a rotation. Needed wherever HOST is not a loopback address.',
    secret: true,
    default: []
  }), decodeSecrets),
  ALLOW_UNSIGNED: setting(Type.Boolean({
    group: group.authenticity,
    description: 'Whether the service starts without a secret on an address that others can reach: anybody can then send it events. ' +
      'It has no effect where VOUCHERIFY_WEBHOOK_SECRETS is set: then every webhook has to be signed.',
    default: false
  })),
  REQUIRED_HEADERS: setting(Type.Array(Type.Object({ name: Type.String(), value: Type.String() }, { additionalProperties: false }), {
    group: group.authenticity,
    description: 'Custom headers that every webhook has to carry, as a second factor: Name: value, separated by commas or new ' +
      'lines (a comma separates only where a header name and a colon follow).',
    secret: true,
    default: []
  }), decodeHeaders),
  ALLOWED_SOURCES: setting(Type.Array(Type.String(), {
    group: group.authenticity,
    description: 'Where webhooks may come from: a comma-separated list of Voucherify\'s regions (eu1, us1, as1), addresses and CIDR ' +
      'blocks. Empty: from anywhere.',
    default: []
  }), decodeSources),
  ALLOWED_SOURCES_MODE: setting(Type.Union([Type.Literal('monitor'), Type.Literal('enforce')], {
    group: group.authenticity,
    description: 'What becomes of a webhook from elsewhere: monitor logs it, enforce answers 403. Watch monitor first: Voucherify\'s ' +
      'addresses change, and a stale list refuses real events.',
    default: 'monitor'
  })),

  INVALID_EVENTS: setting(Type.Union([Type.Literal('quarantine'), Type.Literal('forward'), Type.Literal('reject')], {
    group: group.verdicts,
    description: 'What becomes of a signed event that cannot be understood: quarantine accepts it and lets the operator decide, forward accepts it and ' +
      'passes it on with its verdict, reject answers 422, which Voucherify retries and in the end disables the webhook for.',
    default: 'quarantine'
  })),
  UNVALIDATED_EVENTS: setting(Type.Union([Type.Literal('forward'), Type.Literal('quarantine'), Type.Literal('reject')], {
    group: group.verdicts,
    description: 'What becomes of a signed event that no schema is known for: forward, quarantine (accept, and let the operator decide) or reject ' +
      '(answer 422).',
    default: 'forward'
  })),
  RAW_PAYLOADS: setting(Type.Union([Type.Literal('accept'), Type.Literal('refuse')], {
    group: group.verdicts,
    description: 'What becomes of a signed body without an envelope, which a distribution sends where its box Raw payload is ticked: accept takes ' +
      'it for the event that the URL names, refuse answers 422, which Voucherify retries and in the end pauses the channel for. Only an envelope ' +
      'says, signed, which event it is: refuse where all your distributions send one.',
    default: 'accept'
  })),
  CUSTOM_WEBHOOKS: setting(Type.Array(Type.String(), {
    group: group.verdicts,
    description: 'The names that have a URL below /webhooks/custom/, for bodies of your own design: a comma-separated list of up to 100 names of ' +
      'letters, digits, dots, dashes and underscores, such as crm,erp. Any other name is answered 404.',
    default: []
  }), decodeNames),

  FORWARDERS: setting(Type.Array(Type.Union([Type.Literal('log'), Type.Literal('file'), Type.Literal('http')]), {
    group: group.forwarders,
    description: 'Where accepted events go: a comma-separated list of log, file and http.',
    uniqueItems: true,
    default: ['log']
  })),
  FORWARDERS_FILE: Type.Optional(setting(Type.String({
    group: group.forwarders,
    description: 'A JSON file that lists the forwarders, for several of a kind, filters, or one of your own. It stands in the place of ' +
      'FORWARDERS and of all the variables that follow in this section.',
    fallback: '',
    minLength: 1
  }))),
  LOG_FORWARDER_DATA: withData,
  FILE_FORWARDER_PATH: Type.Optional(setting(Type.String({
    group: group.forwarders,
    description: 'The NDJSON file that the file forwarder appends to; events.ndjson in DATA_DIR unless it is set.',
    fallback: './data/events.ndjson',
    minLength: 1
  }))),
  HTTP_FORWARDER_URL: Type.Optional(setting(Type.String({
    group: group.forwarders,
    description: 'The http or https URL that the http forwarder posts to. Needed where FORWARDERS names http.',
    fallback: '',
    secret: true
  }), decodeUrl)),
  ...settingsOf('HTTP', httpOptions),
  ...settingsOf('FILE', fileOptions),

  DEDUPE_WINDOW_DAYS: setting(Type.Integer({
    group: group.delivery,
    description: 'How long a second copy of an event is recognised as a duplicate at least; as long as the first is in the store, it is in any ' +
      'case. Voucherify retries for a day; a person may later, and copies came up to 14 days late.',
    unit: 'days',
    minimum: 1,
    maximum: 366,
    default: 15
  })),
  DEDUPE_UNIDENTIFIED_SECONDS: setting(Type.Integer({
    group: group.delivery,
    description: 'How long a body of equal content counts as a copy where it has neither an id nor a time of its own, as raw payloads of ' +
      'your own design may have none. Two events may rightly have the same content: 0 takes each as an event.',
    unit: 'seconds',
    minimum: 0,
    maximum: 366 * 86_400,
    default: 0
  })),
  RETENTION_DAYS: setting(Type.Integer({
    group: group.delivery,
    description: 'How long forwarded events are kept for a replay.',
    unit: 'days',
    minimum: 1,
    maximum: 3660,
    default: 30
  })),
  RETENTION_QUARANTINE_DAYS: setting(Type.Integer({
    group: group.delivery,
    description: 'How long an event that nobody releases stays in quarantine. 0 keeps it for good.',
    unit: 'days',
    minimum: 0,
    maximum: 3660,
    default: 90
  })),
  RETENTION_MAX_BYTES: setting(Type.Integer({
    group: group.delivery,
    description: 'How large the store may grow before the oldest forwarded events are dropped early. A quarter of it is for what is in quarantine, whose oldest go when that is full. 0 sets no limit.',
    unit: 'bytes',
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    default: 10_737_418_240
  })),
  RETRY_MIN_MS: setting(Type.Integer({
    group: group.delivery,
    description: 'The wait before the first retry of a failed attempt; it grows from one to the next.',
    unit: 'milliseconds',
    minimum: 1,
    maximum: maximumTimerMs,
    default: 1000
  })),
  RETRY_MAX_MS: setting(Type.Integer({
    group: group.delivery,
    description: 'The longest wait between two attempts.',
    unit: 'milliseconds',
    minimum: 1,
    maximum: maximumTimerMs,
    default: 300_000
  })),
  RETRY_GIVE_UP_MS: setting(Type.Integer({
    group: group.delivery,
    description: 'How long an event is retried before it becomes a dead letter.',
    unit: 'milliseconds',
    minimum: 1,
    maximum: 366 * 86_400_000,
    default: 86_400_000
  })),

  PUBLIC_URL: Type.Optional(setting(Type.String({
    group: group.watchdog,
    description: 'The address under which Voucherify reaches this service: what stands before /webhooks, such as https://hooks.example.com. By it ' +
      'the watchdog finds the webhooks that point here. Without VOUCHERIFY_WEBHOOK_SECRETS its name is also one that the Host header may have.',
    secret: true,
    fallback: ''
  }), decodeBaseUrl)),
  VOUCHERIFY_MANAGEMENT_ID: Type.Optional(setting(Type.String({
    group: group.watchdog,
    description: 'The id for Voucherify\'s Management API, which is part of its Enterprise plan alone. With the token, the project, the region and ' +
      'PUBLIC_URL set, the service asks every five minutes whether the webhook is still switched on.',
    secret: true,
    fallback: ''
  }), decodeCredential)),
  VOUCHERIFY_MANAGEMENT_TOKEN: Type.Optional(setting(Type.String({
    group: group.watchdog,
    description: 'The token that goes with VOUCHERIFY_MANAGEMENT_ID.',
    secret: true,
    fallback: ''
  }), decodeCredential)),
  VOUCHERIFY_PROJECT_ID: Type.Optional(setting(Type.String({
    group: group.watchdog,
    description: 'The id of the project whose webhooks are looked at, such as proj_….',
    fallback: ''
  }), decodeId)),
  VOUCHERIFY_REGION: Type.Optional(setting(Type.Union([Type.Literal('eu1'), Type.Literal('us1'), Type.Literal('as1')], {
    group: group.watchdog,
    description: 'The region of the project: eu1, us1 or as1.',
    fallback: ''
  }))),
  VOUCHERIFY_MANAGEMENT_URL: Type.Optional(setting(Type.String({
    group: group.watchdog,
    description: 'The address of the Management API instead of a region, for a project in a region of its own: what stands before /management.',
    secret: true,
    fallback: ''
  }), decodeApiUrl)),
  VOUCHERIFY_REENABLE: setting(Type.Boolean({
    group: group.watchdog,
    description: 'Whether the watchdog switches a webhook on again that is switched off, with its events as they were, at most once an hour. It does ' +
      'so also where a person has switched it off.',
    default: false
  }))
}, { additionalProperties: false })

/** The configuration, read once at the start. */
export type Settings = StaticDecode<typeof SettingsSchema>

/** The name of a variable. */
export type SettingName = keyof Settings

const names: ReadonlySet<string> = new Set(Object.keys(SettingsSchema.properties))

/** Whether `name` is a variable that tierhook reads. */
export function isSettingName (name: string): name is SettingName {
  return names.has(name)
}

/** Follows the name of a secret variable in that of a second one, which names a file that holds the value: `ADMIN_TOKEN_FILE`. */
export const FILE_SUFFIX = '_FILE'

/** The variable that is set by a name: by its own, or by that of a second one; `undefined` where that is none of tierhook's. */
export function settingNamed (name: string): SettingName | undefined {
  if (isSettingName(name)) return name
  const first = name.endsWith(FILE_SUFFIX) ? name.slice(0, -FILE_SUFFIX.length) : ''
  return isSettingName(first) && isSecret(first) ? first : undefined
}

/** Whether nobody else should know the value of a variable. */
export function isSecret (name: SettingName): boolean {
  return SettingsSchema.properties[name]['secret'] === true
}

/** Every variable, in the order in which a person reads about them. */
export const settingNames: readonly SettingName[] = [...names].filter(isSettingName)
