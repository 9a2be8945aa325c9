import { createHash, timingSafeEqual } from 'node:crypto'
import { OLD_VERSION, OLD_VERSION_ADVICE, VERSION } from '../voucherify/webhook-version.js'
import type { Project } from './management-api.js'
import type { Finding } from './webhook-status.js'

const MAX_VERSION_LENGTH = 40

/** Checks the project's secret and its version of webhooks. */
export function judgeProject ({ webhookToken, webhookVersion }: Project, secrets: readonly string[]): readonly Finding[] {
  return [secretFinding(webhookToken, secrets), versionFinding(webhookVersion)]
}

function secretFinding (token: string | undefined, secrets: readonly string[]): Finding {
  const check = 'secret'
  if (secrets.length === 0) return { check, state: 'unknown', detail: 'VOUCHERIFY_WEBHOOK_SECRETS is not set, so there is nothing to compare.' }
  if (token === undefined) return { check, state: 'unknown', detail: 'Voucherify does not show the webhook_token of the project.' }
  if (isAmong(token, secrets)) return { check, state: 'ok', detail: 'The secret of the project is one of VOUCHERIFY_WEBHOOK_SECRETS.' }
  return {
    check,
    state: 'wrong',
    detail: 'The webhook_token of the project is none of VOUCHERIFY_WEBHOOK_SECRETS. It seems to be the secret that webhooks are signed with, though Voucherify does not document that. ' +
      'If webhooks are refused (401), add the secret key from Voucherify (Project settings, Webhooks) to VOUCHERIFY_WEBHOOK_SECRETS and restart the service.'
  }
}

/** Compares with all secrets, in constant time. */
function isAmong (token: string, secrets: readonly string[]): boolean {
  const given = digestOf(token)
  return secrets.map((secret) => timingSafeEqual(given, digestOf(secret))).includes(true)
}

function digestOf (text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function versionFinding (version: string | undefined): Finding {
  const check = 'version'
  if (version === VERSION) return { check, state: 'ok', detail: `Its webhooks are of version ${VERSION}.` }
  if (version === OLD_VERSION) return { check, state: 'wrong', detail: `Its webhooks are of version ${OLD_VERSION}, in which no event can be identified: they stay in quarantine. ${OLD_VERSION_ADVICE}` }
  return { check, state: 'unknown', detail: version === undefined ? 'Voucherify does not show the webhook_version of the project.' : `Its webhook_version is ${JSON.stringify(version.slice(0, MAX_VERSION_LENGTH))}, which tierhook does not know.` }
}
