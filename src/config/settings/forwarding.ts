import { Type } from '@sinclair/typebox'
import { decodeUrl } from '../decode-url.js'
import { fileOptions, httpOptions, settingsOf, withData } from '../forwarder-options.js'
import { setting } from '../setting.js'

const group = { forwarders: 'Forwarders', delivery: 'Delivery' } as const
const maximumTimerMs = 86_400_000

/** Settings for where events go, how they are retried, and how long they are kept. */
export const forwardingSettings = {
  FORWARDERS: setting(Type.Array(Type.Union([Type.Literal('log'), Type.Literal('file'), Type.Literal('http')]), {
    group: group.forwarders,
    description: 'Where accepted events go: a comma-separated list of log, file and http.',
    uniqueItems: true,
    default: ['log']
  })),
  FORWARDERS_FILE: Type.Optional(setting(Type.String({
    group: group.forwarders,
    description: 'A JSON file that lists the forwarders. Needed for several of a kind, for filters, and for custom forwarders. It replaces ' +
      'FORWARDERS and all the variables that follow in this section.',
    fallback: '',
    minLength: 1
  }))),
  LOG_FORWARDER_DATA: withData,
  FILE_FORWARDER_PATH: Type.Optional(setting(Type.String({
    group: group.forwarders,
    description: 'The NDJSON file that the file forwarder appends to. If it is not set: events.ndjson in DATA_DIR.',
    fallback: './data/events.ndjson',
    minLength: 1
  }))),
  HTTP_FORWARDER_URL: Type.Optional(setting(Type.String({
    group: group.forwarders,
    description: 'The http or https URL that the http forwarder posts to. Required if FORWARDERS names http.',
    fallback: '',
    secret: true
  }), decodeUrl)),
  ...settingsOf('HTTP', httpOptions),
  ...settingsOf('FILE', fileOptions),

  DEDUPE_WINDOW_DAYS: setting(Type.Integer({
    group: group.delivery,
    description: 'How long at least a second copy of an event is recognised as a duplicate. While the first copy is in the store, it always ' +
      'is. Voucherify retries for a day, but a person may resend later: copies came up to 14 days late.',
    unit: 'days',
    minimum: 1,
    maximum: 366,
    default: 15
  })),
  DEDUPE_UNIDENTIFIED_SECONDS: setting(Type.Integer({
    group: group.delivery,
    description: 'How long a body with the same content counts as a copy if it has neither an id nor a time, as raw payloads of ' +
      'your own design may have none. Two different events may have the same content: 0 accepts each as a new event.',
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
    description: 'How long an event stays in quarantine if no operator releases it. 0 keeps it for ever.',
    unit: 'days',
    minimum: 0,
    maximum: 3660,
    default: 90
  })),
  RETENTION_MAX_BYTES: setting(Type.Integer({
    group: group.delivery,
    description: 'How large the store may grow before the oldest forwarded events are removed early. Quarantined events may use a quarter of it; the oldest of them are removed when that is full. 0 sets no limit.',
    unit: 'bytes',
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    default: 10_737_418_240
  })),
  RETRY_MIN_MS: setting(Type.Integer({
    group: group.delivery,
    description: 'The wait before the first retry of a failed attempt. It grows with each retry.',
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
  }))
}
