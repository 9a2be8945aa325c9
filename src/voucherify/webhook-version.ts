import type { Fault } from '../errors/problem.js'
import type { JsonObject } from './parse-body.js'

/** The version of webhooks that tierhook understands. */
export const VERSION = 'v2024-01-01'
/** The version before it, which some projects still use. */
export const OLD_VERSION = 'v2018-08-01'

/** What an operator must do about webhooks of the old version. */
export const OLD_VERSION_ADVICE = `Set the webhook version of the project to ${VERSION} in Voucherify.`

/** Whether a body is a webhook of the old version. It has other keys around its `data`, and no reliable event type. */
export function isOldVersion (body: JsonObject): boolean {
  return body['object'] === 'event' && Object.hasOwn(body, 'webhook_id') && !Object.hasOwn(body, 'source') && !Object.hasOwn(body, 'event')
}

export const oldVersionFault: Fault = {
  pointer: '/event',
  message: `is required: this is a webhook of version ${OLD_VERSION}. ${OLD_VERSION_ADVICE}`
}
