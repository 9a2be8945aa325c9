import { Counter, Gauge, type Registry } from 'prom-client'
import type { WebhookStatus } from '../sender-watch/webhook-status.js'

/** Exports the status of the webhook at the sender. If the sender is not asked, there are no series. */
export function createWebhookStatusMetrics (registry: Registry): { readonly look: (status: WebhookStatus) => void } {
  const registers = [registry]
  const checks = new Gauge({ name: 'tierhook_webhook_status', help: 'Checks of the webhook at Voucherify that points here: 1 if ok, 0 if wrong. Unknown ones are left out.', labelNames: ['check'], registers })
  const unanswered = new Gauge({ name: 'tierhook_webhook_status_unanswered_seconds', help: 'Time since Voucherify last answered all questions about the webhook, or since the start.', registers })
  const switchedOn = new Counter({ name: 'tierhook_webhook_switched_on_total', help: 'How often the watchdog switched a webhook on.', registers })
  return {
    look (status) {
      checks.reset()
      switchedOn.reset()
      if (!status.watching) {
        unanswered.remove()
        return
      }
      for (const { check, state } of status.checks) if (state !== 'unknown') checks.set({ check }, state === 'ok' ? 1 : 0)
      unanswered.set(status.unansweredMs / 1000)
      switchedOn.inc(status.switchedOnCount)
    }
  }
}
