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
  }))
}
