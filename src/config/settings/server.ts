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
      'localhost on one address only: 127.0.0.1 if the machine has it.',
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
    description: 'The address or name that the operator\'s listener listens at: the page, the API, metrics. An address that other machines can reach needs ADMIN_TOKEN or ADMIN_TOKENS.',
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
      'One that can be guessed is refused: a placeholder, well-known words, a pattern. ADMIN_TOKEN or ADMIN_TOKENS is required if ADMIN_HOST is not a loopback address.',
    secret: true,
    fallback: ''
  }), decodeToken)),
  ADMIN_TOKENS: setting(Type.Array(Type.Object({ name: Type.String(), role: Type.Union([Type.Literal('read'), Type.Literal('operate')]), token: Type.String() }, { additionalProperties: false }), {
    group,
    description: 'More bearer tokens, each with a name, which the log and the list of actions show, and a role: a comma-separated list of name:read:token and ' +
      'name:operate:token, such as prometheus:read:TOKEN,anna:operate:TOKEN. A read token changes nothing. ADMIN_TOKEN is an operate token called admin.',
    secret: true,
    default: []
  }), decodeTokens),
  PAGE_SHOWS_NAMES: setting(Type.Boolean({
    group,
    description: 'Whether the operator\'s page and API show customers\' names beside their ids for moves between tiers. The body of a delivery always shows them.',
    default: false
  })),
  TRUST_PROXY: setting(Type.Union([Type.Boolean(), Type.Array(Type.String())], {
    group,
    description: 'Which proxies\' X-Forwarded-For is trusted, as in Fastify\'s trustProxy: false (none), true (any sender\'s: only if nothing ' +
      'but your proxy can reach the service), or a comma-separated list of the proxies\' addresses, CIDR blocks and the names loopback, ' +
      'linklocal, uniquelocal.',
    default: false
  }), decodeTrustProxy),
  BODY_LIMIT_BYTES: setting(Type.Integer({
    group,
    description: 'The largest request body that is accepted. A larger one is answered 413.',
    unit: 'bytes',
    minimum: 1024,
    maximum: 67_108_864,
    default: 1_048_576
  })),
  SHUTDOWN_TIMEOUT_MS: setting(Type.Integer({
    group,
    description: 'How long stopping may take: to answer webhooks in flight and to finish attempts. Keep it below the time after ' +
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
    description: 'The lowest level of the service\'s own log lines: fatal, error, warn, info, debug, trace or silent.',
    default: 'info'
  })),
  LOG_FORMAT: setting(Type.Union([Type.Literal('auto'), Type.Literal('lines'), Type.Literal('json')], {
    group,
    description: 'How the log is written: json (one object per line), lines (one line per event, for a person), or auto (lines on a terminal, json elsewhere).',
    default: 'auto'
  })),
  LOG_REDACT: setting(Type.Array(Type.String(), {
    group,
    description: 'Which fields are hidden in log lines, also in those of the log forwarder: a comma-separated list of pino\'s redaction paths, ' +
      'such as sourceAddress,data.customer.email,data.*.metadata.',
    default: []
  }), decodeLogPaths),
  DATA_DIR: setting(Type.String({
    group,
    description: 'The directory for everything that has to survive a restart.',
    minLength: 1,
    default: './data'
  })),
  JOURNAL: Type.Optional(setting(Type.String({
    group,
    description: 'The PostgreSQL database, 14 or newer, that several replicas share as their journal: postgres://user:password@host:5432/database, with ' +
      '?sslmode=verify-full for TLS. Without it the journal is an SQLite database in DATA_DIR, which only one service can use.',
    secret: true,
    fallback: ''
  }), decodeJournal)),
  JOURNAL_SCHEMA: setting(Type.String({
    group,
    description: 'The schema of that database for the journal. tierhook creates it, and nothing else may be in it.',
    default: 'tierhook'
  }), decodeSchemaName),
  JOURNAL_POOL_SIZE: setting(Type.Integer({
    group,
    description: 'How many connections each replica opens to that database at most.',
    minimum: 8,
    maximum: 100,
    default: 10
  })),
  REPLICA_NAME: Type.Optional(setting(Type.String({
    group,
    description: 'The name of this replica among those that share a JOURNAL. File forwarders use it as their home. If it is not set: the name of the machine.',
    fallback: ''
  }), decodeReplicaName)),
  DISK_FREE_MIN_BYTES: setting(Type.Integer({
    group,
    description: 'How much must be free on the disk of DATA_DIR for the service to be ready. 0 turns the check off.',
    unit: 'bytes',
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    default: 134_217_728
  })),
  EXPECT_EVENT_WITHIN: setting(Type.Array(Type.Object({ pattern: Type.String(), withinMs: Type.Number() }, { additionalProperties: false }), {
    group,
    description: 'Which events are expected, and how often at least: a comma-separated list of event types, in which * stands for any ' +
      'characters, or source: and a source\'s id, each with = and a time in s, m, h or d, such as *=24h,customer.loyalty.tier.*=7d,' +
      'source:distr_abc=2d. Events that are missing for longer are logged and shown by a metric. With replicas, an event that one of them accepts counts for all.',
    default: []
  }), decodeExpectations)
}
