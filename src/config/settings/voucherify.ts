import { Type } from '@sinclair/typebox'
import { decodeCredential } from '../decode-http.js'
import { decodeApiUrl, decodeBaseUrl, decodeId } from '../decode-url.js'
import { setting } from '../setting.js'

const group = 'Watchdog'

/** Settings of the watchdog, which asks Voucherify's Management API. */
export const voucherifySettings = {
  PUBLIC_URL: Type.Optional(setting(Type.String({
    group,
    description: 'The address at which Voucherify reaches this service: the part before /webhooks, such as https://hooks.example.com. With it ' +
      'the watchdog finds the webhooks that point here. Without VOUCHERIFY_WEBHOOK_SECRETS, its host name is also allowed in the Host header.',
    secret: true,
    fallback: ''
  }), decodeBaseUrl)),
  VOUCHERIFY_MANAGEMENT_ID: Type.Optional(setting(Type.String({
    group,
    description: 'The id for Voucherify\'s Management API, which only its Enterprise plan has. If the token, the project, the region and ' +
      'PUBLIC_URL are set too, the service asks every five minutes whether the webhook is still switched on.',
    secret: true,
    fallback: ''
  }), decodeCredential)),
  VOUCHERIFY_MANAGEMENT_TOKEN: Type.Optional(setting(Type.String({
    group,
    description: 'The token that goes with VOUCHERIFY_MANAGEMENT_ID.',
    secret: true,
    fallback: ''
  }), decodeCredential)),
  VOUCHERIFY_PROJECT_ID: Type.Optional(setting(Type.String({
    group,
    description: 'The id of the project whose webhooks are checked, such as proj_….',
    fallback: ''
  }), decodeId)),
  VOUCHERIFY_REGION: Type.Optional(setting(Type.Union([Type.Literal('eu1'), Type.Literal('us1'), Type.Literal('as1')], {
    group,
    description: 'The region of the project: eu1, us1 or as1.',
    fallback: ''
  }))),
  VOUCHERIFY_MANAGEMENT_URL: Type.Optional(setting(Type.String({
    group,
    description: 'The address of the Management API instead of a region, for a project in a region of its own: the part before /management.',
    secret: true,
    fallback: ''
  }), decodeApiUrl)),
  VOUCHERIFY_REENABLE: setting(Type.Boolean({
    group,
    description: 'Whether the watchdog switches a webhook on again after it was switched off, with the same events, at most once an hour. It does ' +
      'so even if a person has switched it off.',
    default: false
  }))
}
