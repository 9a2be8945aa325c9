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
export const CANNOT_SEE = 'Only webhooks of the project settings can be looked at. Distributions, custom headers and the log of what was sent are not in Voucherify\'s ' +
  'Management API: a paused distribution shows only by its missing events (EXPECT_EVENT_WITHIN) and by the retry budget.'

const Time = Type.String({ format: 'date-time' })

/** The status of the webhook at the sender. */
export const WebhookStatusSchema = Type.Object({
  watching: Type.Boolean({ description: 'Whether Voucherify is asked at all: whether VOUCHERIFY_MANAGEMENT_ID and the settings that go with it are set.' }),
  askedAt: Type.Union([Time, Type.Null()], { description: 'When Voucherify answered everything the last time.' }),
  unansweredMs: Type.Number({ minimum: 0, description: 'The time since then, or since the start.' }),
  failure: Type.Union([Type.Object({ reason: Type.String(), since: Time }, { additionalProperties: false }), Type.Null()], { description: 'Why it does not answer now.' }),
  checks: Type.Array(Type.Object({
    check: Type.Union(checkNames.map((name) => Type.Literal(name))),
    state: Type.Union(checkStates.map((state) => Type.Literal(state)), { description: 'What was well and has not been told for a quarter of an hour is `unknown`.' }),
    detail: Type.String({ description: 'What was found and what to do.' }),
    since: Time
  }, { additionalProperties: false })),
  switchedOn: Type.Array(Type.Object({ webhookId: Type.String(), at: Time }, { additionalProperties: false }), { description: 'What the watchdog switched on since the start, up to 20 times.' }),
  switchedOnCount: Type.Integer({ minimum: 0, description: 'How often it did.' }),
  cannotSee: Type.String({ description: 'What nobody looks at here.' })
}, { $id: 'WebhookStatus', additionalProperties: false, description: 'How the webhook stands at Voucherify, as its Management API tells.' })

export type WebhookStatus = Static<typeof WebhookStatusSchema>

/** The status if the sender is not asked. */
export const notWatching: WebhookStatus = {
  watching: false, askedAt: null, unansweredMs: 0, failure: null, checks: [], switchedOn: [], switchedOnCount: 0, cannotSee: CANNOT_SEE
}
