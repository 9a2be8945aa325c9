import { Type } from '@sinclair/typebox'
import { decodeHost, decodeTrustProxy } from '../addresses.js'
import { decodeExpectations } from '../decode-expectations.js'
import { decodeLogPaths } from '../decode-log-paths.js'
import { decodeJournal, decodeReplicaName, decodeSchemaName } from '../decode-journal.js'
import { decodeToken, decodeTokens } from '../decode-token.js'
import { setting } from '../setting.js'

const group = 'Server'

/** Settings of the listeners, the log and the store. */
export const serverSettings = {
  HOST: setting(Type.String({
    group,
    description: 'The address or name that the service listens at. 0.0.0.0 listens on every IPv4 address, :: on every address, and ' +
      'localhost at one alone, 127.0.0.1 where there is that.',
    default: '127.0.0.1'
  }), decodeHost),
  PORT: setting(Type.Integer({
    group,
    description: 'The TCP port that the service listens at. 0 takes any free one.',
    minimum: 0,
    maximum: 65_535,
    default: 3000
  })),
  ADMIN_HOST: setting(Type.String({
    group,
    description: 'The address or name that the operator\'s listener listens at: the page, the API, metrics. Beyond this machine it needs ADMIN_TOKEN or ADMIN_TOKENS.',
    default: '127.0.0.1'
  }), decodeHost),
  ADMIN_PORT: setting(Type.Integer({
    group,
    description: 'The TCP port of the operator\'s listener. 0 turns it off.',
    minimum: 0,
    maximum: 65_535,
    default: 3001
  })),
  ADMIN_TOKEN: Type.Optional(setting(Type.String({
    group,
    description: 'The bearer token that the operator\'s listener asks for, of 24 characters or more, such as openssl rand -hex 32 makes. ' +
      'One that can be guessed is refused: a placeholder, well-known words, a pattern. It, or one in ADMIN_TOKENS, is needed where ADMIN_HOST is not a loopback address.',
    secret: true,
    fallback: ''
  }), decodeToken)),
  ADMIN_TOKENS: setting(Type.Array(Type.Object({ name: Type.String(), role: Type.Union([Type.Literal('read'), Type.Literal('operate')]), token: Type.String() }, { additionalProperties: false }), {
    group,
    description: 'More such tokens, each with a name, which the log and the list of actions tell, and with what it may do: a comma-separated list of name:read:token and ' +
      'name:operate:token, such as prometheus:read:TOKEN,anna:operate:TOKEN. A read token changes nothing. ADMIN_TOKEN is an operate token called admin.',
    secret: true,
    default: []
  }), decodeTokens),
  PAGE_SHOWS_NAMES: setting(Type.Boolean({
    group,
    description: 'Whether the operator\'s page and API say customers\' names beside their ids where they tell who moved between tiers. The body of a delivery has them in any case.',
    default: false
  })),
  TRUST_PROXY: setting(Type.Union([Type.Boolean(), Type.Array(Type.String())], {
    group,
    description: 'Whose X-Forwarded-For is believed, as Fastify understands it: false (nobody), true (anybody: only where nothing ' +
      'but your proxy can reach the service), or a comma-separated list of the proxies\' addresses, CIDR blocks and the names loopback, ' +
      'linklocal, uniquelocal.',
    default: false
  }), decodeTrustProxy),
  BODY_LIMIT_BYTES: setting(Type.Integer({
    group,
    description: 'The largest request body that is taken; a larger one is answered 413.',
    unit: 'bytes',
    minimum: 1024,
    maximum: 67_108_864,
    default: 1_048_576
  })),
  SHUTDOWN_TIMEOUT_MS: setting(Type.Integer({
    group,
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
    group,
    description: 'The least level of the service\'s own log lines: fatal, error, warn, info, debug, trace or silent.',
    default: 'info'
  })),
  LOG_FORMAT: setting(Type.Union([Type.Literal('auto'), Type.Literal('lines'), Type.Literal('json')], {
    group,
    description: 'How the log is written: json, one object a line; lines, one line an event for a person; auto takes lines on a terminal and json elsewhere.',
    default: 'auto'
  })),
  LOG_REDACT: setting(Type.Array(Type.String(), {
    group,
    description: 'What is hidden in log lines, those of the log forwarder included: a comma-separated list of pino\'s redaction paths, ' +
      'such as sourceAddress,data.customer.email,data.*.metadata.',
    default: []
  }), decodeLogPaths),
  DATA_DIR: setting(Type.String({
    group,
    description: 'The directory that holds everything which has to survive a restart.',
    minLength: 1,
    default: './data'
  })),
  JOURNAL: Type.Optional(setting(Type.String({
    group,
    description: 'The PostgreSQL database, 14 or newer, that several replicas share as their journal: postgres://user:password@host:5432/database, with ' +
      '?sslmode=verify-full for TLS. Without it the journal is an SQLite database in DATA_DIR, which then is for one service alone.',
    secret: true,
    fallback: ''
  }), decodeJournal)),
  JOURNAL_SCHEMA: setting(Type.String({
    group,
    description: 'The schema of that database which holds the journal: tierhook makes it, and nothing else may be in it.',
    default: 'tierhook'
  }), decodeSchemaName),
  JOURNAL_POOL_SIZE: setting(Type.Integer({
    group,
    description: 'The most connections that each replica opens to that database.',
    minimum: 8,
    maximum: 100,
    default: 10
  })),
  REPLICA_NAME: Type.Optional(setting(Type.String({
    group,
    description: 'What this replica is called where several share a JOURNAL, and its home of file forwarders; the name of the machine unless it is set.',
    fallback: ''
  }), decodeReplicaName)),
  DISK_FREE_MIN_BYTES: setting(Type.Integer({
    group,
    description: 'How much has to be free on the disk of DATA_DIR for the service to be ready. 0 does not look.',
    unit: 'bytes',
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    default: 134_217_728
  })),
  EXPECT_EVENT_WITHIN: setting(Type.Array(Type.Object({ pattern: Type.String(), withinMs: Type.Number() }, { additionalProperties: false }), {
    group,
    description: 'What is expected to come, and how often at least: a comma-separated list of event types, in which * stands for any ' +
      'characters, or source: and a source\'s id, each with = and a time in s, m, h or d, such as *=24h,customer.loyalty.tier.*=7d,' +
      'source:distr_abc=2d. What stays away for longer is logged, and told by a metric. An event that any of several replicas accepts counts for all.',
    default: []
  }), decodeExpectations)
}
