import { Problem } from '../errors/problem.js'
import { OLD_VERSION, OLD_VERSION_ADVICE } from '../voucherify/webhook-version.js'
import type { ParsedWebhook } from './parsed-webhook.js'

/** What to do with authentic events that are not valid. */
export interface VerdictPolicy {
  readonly invalid: 'forward' | 'quarantine' | 'reject'
  readonly unvalidated: 'forward' | 'quarantine' | 'reject'
  /** What to do with bodies that have no envelope, whatever their verdict. */
  readonly rawPayloads: 'accept' | 'refuse'
}

/**
 * Decides what happens to a webhook. A signed event is accepted whatever its verdict, unless the policy says otherwise, because the sender
 * counts each refusal against the webhook.
 * @returns whether the delivery goes into quarantine
 * @throws {Problem} BODY_NOT_JSON, RAW_PAYLOAD_REFUSED, EVENT_INVALID or EVENT_UNVALIDATED
 */
export function isQuarantined (webhook: ParsedWebhook, { signed }: { readonly signed: boolean }, policy: VerdictPolicy): boolean {
  if (!signed) refuseUnsigned(webhook)
  if (policy.rawPayloads === 'refuse' && webhook.bare) throw new Problem('RAW_PAYLOAD_REFUSED', { detail: RAW_PAYLOAD_REFUSED })
  switch (webhook.verdict) {
    case 'valid':
      return false
    case 'invalid':
      // Always 422: a signed body is what the sender meant, even if it is not JSON. A 400 is only for unsigned bodies that cannot be read.
      if (!signed || policy.invalid === 'reject') throw eventInvalid(webhook)
      return policy.invalid === 'quarantine'
    case 'unvalidated':
      if (policy.unvalidated === 'reject') {
        throw new Problem('EVENT_UNVALIDATED', { detail: 'There is no schema for this event type, and UNVALIDATED_EVENTS is reject.' })
      }
      return policy.unvalidated === 'quarantine'
  }
}

const RAW_PAYLOAD_REFUSED = 'The body has no envelope, and RAW_PAYLOADS is refuse. Untick "Raw payload" in the distribution, or set RAW_PAYLOADS=accept and restart the service.'

function refuseUnsigned (webhook: ParsedWebhook): void {
  if (!webhook.json) throw new Problem('BODY_NOT_JSON', { detail: webhook.faults[0]?.message ?? 'The body is not JSON.' })
  if (webhook.poisoned) throw new Problem('BODY_NOT_JSON', { detail: 'The body has a key called __proto__.' })
  if (webhook.contradictsUrl) {
    throw new Problem('EVENT_INVALID', {
      detail: 'The envelope names another event than the URL does. Send it to /webhooks, or to the URL of its own event.',
      faults: [{ pointer: '/event/type', message: 'must be the event type that the URL names' }]
    })
  }
}

function eventInvalid ({ faults, oldVersion }: ParsedWebhook): Problem {
  const detail = oldVersion
    ? `This is a webhook of version ${OLD_VERSION}. ${OLD_VERSION_ADVICE}`
    : `The body does not match the schema in ${faults.length} ${faults.length === 1 ? 'place' : 'places'}: see errors.`
  return new Problem('EVENT_INVALID', { detail, faults })
}
