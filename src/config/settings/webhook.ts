import { Type } from '@sinclair/typebox'
import { decodeSources } from '../addresses.js'
import { decodeHeaders } from '../decode-http.js'
import { decodeNames } from '../decode-names.js'
import { decodeSecrets } from '../decode-secrets.js'
import { setting } from '../setting.js'

const group = { authenticity: 'Authenticity', verdicts: 'Verdicts' } as const

/** Settings for which webhooks are accepted, and which of them are forwarded. */
export const webhookSettings = {
  VOUCHERIFY_WEBHOOK_SECRETS: setting(Type.Array(Type.String(), {
    group: group.authenticity,
    description: 'The secret key that Voucherify shows in Project settings, Webhooks. Comma-separated, so that the old and the new ' +
      'one are both accepted during a rotation. Required if HOST is not a loopback address.',
    secret: true,
    default: []
  }), decodeSecrets),
  ALLOW_UNSIGNED: setting(Type.Boolean({
    group: group.authenticity,
    description: 'Whether the service starts without a secret on an address that others can reach. Then anyone can send it events. ' +
      'It has no effect if VOUCHERIFY_WEBHOOK_SECRETS is set: then every webhook has to be signed.',
    default: false
  })),
  REQUIRED_HEADERS: setting(Type.Array(Type.Object({ name: Type.String(), value: Type.String() }, { additionalProperties: false }), {
    group: group.authenticity,
    description: 'Custom headers that every webhook has to carry, as a second factor: Name: value, separated by commas or new ' +
      'lines (a comma separates only if a header name and a colon follow).',
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
    description: 'What happens to a webhook from another address: monitor logs and accepts it, enforce answers 403. Watch monitor first: Voucherify\'s ' +
      'addresses change, and a stale list refuses real events.',
    default: 'monitor'
  })),

  INVALID_EVENTS: setting(Type.Union([Type.Literal('quarantine'), Type.Literal('forward'), Type.Literal('reject')], {
    group: group.verdicts,
    description: 'What happens to a signed event that cannot be understood: quarantine accepts it and lets the operator decide, forward accepts it and ' +
      'forwards it with its verdict, reject answers 422: Voucherify then retries, and in the end disables the webhook.',
    default: 'quarantine'
  })),
  UNVALIDATED_EVENTS: setting(Type.Union([Type.Literal('forward'), Type.Literal('quarantine'), Type.Literal('reject')], {
    group: group.verdicts,
    description: 'What happens to a signed event without a known schema: forward, quarantine (accept, and let the operator decide) or reject ' +
      '(answer 422).',
    default: 'forward'
  })),
  RAW_PAYLOADS: setting(Type.Union([Type.Literal('accept'), Type.Literal('refuse')], {
    group: group.verdicts,
    description: 'What happens to a signed body without an envelope, which a distribution sends if its box Raw payload is ticked: accept takes ' +
      'it for the event that the URL names, refuse answers 422: Voucherify then retries, and in the end pauses the channel. Only an envelope ' +
      'says under the signature which event it is, so use refuse if all your distributions send one.',
    default: 'accept'
  })),
  CUSTOM_WEBHOOKS: setting(Type.Array(Type.String(), {
    group: group.verdicts,
    description: 'The names that have a URL below /webhooks/custom/, for bodies of your own design: a comma-separated list of up to 100 names of ' +
      'letters, digits, dots, dashes and underscores, such as crm,erp. Any other name is answered 404.',
    default: []
  }), decodeNames)
}
