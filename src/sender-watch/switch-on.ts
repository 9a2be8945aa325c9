import type { Logger } from 'pino'
import { hasKnownId, ManagementApiError, type ManagementApi, type Webhook } from './management-api.js'
import type { SwitchOnLimit } from './switch-on-limit.js'

export interface SwitchOnOptions {
  readonly api: ManagementApi
  readonly limit: SwitchOnLimit
  readonly logger: Logger
  /** Called with the id of each webhook that Voucherify confirms as switched on. */
  readonly onSwitched: (webhookId: string) => void
}

/** Switches on the webhooks that are off. Resolves with whether any request was sent. */
export type SwitchOn = (off: readonly Webhook[], signal: AbortSignal) => Promise<boolean>

/** The most webhooks that are switched on in one round. */
const MAX_AT_ONCE = 10
const MAX_ID_LENGTH = 128

export function createSwitchOn ({ api, limit, logger, onSwitched }: SwitchOnOptions): SwitchOn {
  /** Why each webhook was left off. A reason is logged once and not in each round. */
  const left = new Map<string, string>()

  function leave (webhookId: string, reason: string): void {
    if (left.get(webhookId) !== reason) logger.error({ webhookId, reason }, 'webhook not switched on')
    left.set(webhookId, reason)
  }

  /** Resolves with whether a request was sent. */
  async function switchOne (webhook: Webhook, signal: AbortSignal): Promise<boolean> {
    const { id, events } = webhook
    if (!hasKnownId(webhook)) {
      leave(id.slice(0, MAX_ID_LENGTH), 'Its id has a form that tierhook does not know.')
      return false
    }
    if (events === undefined) {
      leave(id, 'Voucherify does not say which events it has, and switching it on would replace them.')
      return false
    }
    const taken = await limit.take(id)
    if (!taken.ok) {
      leave(id, taken.reason)
      return false
    }
    if (signal.aborted) return false
    try {
      await api.switchOn({ ...webhook, events }, signal)
      left.delete(id)
      logger.warn({ webhookId: id, events: events.length }, 'webhook switched on by the watchdog')
      onSwitched(id)
    } catch (error) {
      if (!(error instanceof ManagementApiError)) throw error
      // If stopping broke the request off, it is not logged. The next start asks again.
      if (!signal.aborted) leave(id, error.message)
    }
    return true
  }

  return async (off, signal) => {
    for (const id of left.keys()) if (!off.some((webhook) => webhook.id.startsWith(id))) left.delete(id)
    let sent = false
    for (const webhook of off.slice(0, MAX_AT_ONCE)) sent = await switchOne(webhook, signal) || sent
    return sent
  }
}
