import { Type, type Static } from '@sinclair/typebox'

/** The checks at the sender: does a webhook point here, is it on, has it the tier events, and are the secret and the version ours. */
export const checkNames = ['webhook', 'active', 'events', 'secret', 'version'] as const
export const checkStates = ['ok', 'wrong', 'unknown'] as const

export type CheckName = typeof checkNames[number]
export type CheckState = typeof checkStates[number]

/** The result of one check. */
export interface Finding {
  readonly check: CheckName
  readonly state: CheckState
  /** What was found and what to do, in sentences. */
  readonly detail: string
}

/** The limits of these checks, shown wherever their results are shown. */
export const CANNOT_SEE = 'Only webhooks of the project settings can be checked. Distributions, custom headers and the log of sent webhooks are not in Voucherify\'s ' +
  'Management API: a paused distribution shows only through missing events (EXPECT_EVENT_WITHIN) and the retry budget.'

const Time = Type.String({ format: 'date-time' })

/** The status of the webhook at the sender. */
export const WebhookStatusSchema = Type.Object({
  watching: Type.Boolean({ description: 'Whether Voucherify is asked at all: whether VOUCHERIFY_MANAGEMENT_ID and the settings that go with it are set.' }),
  askedAt: Type.Union([Time, Type.Null()], { description: 'When Voucherify last answered every question.' }),
  unansweredMs: Type.Number({ minimum: 0, description: 'Time since then, or since the start.' }),
  failure: Type.Union([Type.Object({ reason: Type.String(), since: Time }, { additionalProperties: false }), Type.Null()], { description: 'Why it does not answer now.' }),
  checks: Type.Array(Type.Object({
    check: Type.Union(checkNames.map((name) => Type.Literal(name))),
    state: Type.Union(checkStates.map((state) => Type.Literal(state)), { description: 'A check that was `ok` becomes `unknown` after a quarter of an hour without an answer about it.' }),
    detail: Type.String({ description: 'What was found and what to do.' }),
    since: Time
  }, { additionalProperties: false })),
  switchedOn: Type.Array(Type.Object({ webhookId: Type.String(), at: Time }, { additionalProperties: false }), { description: 'The webhooks that the watchdog switched on since the start, the last 20.' }),
  switchedOnCount: Type.Integer({ minimum: 0, description: 'How often the watchdog switched a webhook on.' }),
  cannotSee: Type.String({ description: 'What these checks cannot see.' })
}, { $id: 'WebhookStatus', additionalProperties: false, description: 'The state of the webhook at Voucherify, from its Management API.' })

export type WebhookStatus = Static<typeof WebhookStatusSchema>

/** The status if the sender is not asked. */
export const watchdogOff: WebhookStatus = {
  watching: false, askedAt: null, unansweredMs: 0, failure: null, checks: [], switchedOn: [], switchedOnCount: 0, cannotSee: CANNOT_SEE
}
