import { Counter, Histogram, type Registry } from 'prom-client'
import type { AcceptedWebhook, Observer, RefusedWebhook } from '../delivery/observation.js'
import { findEvent } from '../voucherify/catalogue.js'

interface Series {
  readonly labels: Readonly<Record<'event_type' | 'verdict' | 'answer', string>>
  /** Webhooks since the last scrape. */
  count: number
}

/** Ends at 10 s, when the sender gives up. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Counts webhooks by their answer. */
export function createWebhookMetrics (registry: Registry, { secrets }: { readonly secrets: number }): { readonly observer: Observer, readonly look: () => void } {
  const registers = [registry]
  const webhooks = new Counter({
    name: 'tierhook_webhooks_total', help: 'Requests by their answer. Refused requests have neither a type nor a verdict.', labelNames: ['event_type', 'verdict', 'answer'], registers
  })
  const duration = new Histogram({ name: 'tierhook_webhook_duration_seconds', help: 'Time from a request\'s arrival to its answer.', labelNames: ['answer'], buckets: SECONDS, registers })
  const accepted = duration.labels('accepted')
  const duplicate = duration.labels('duplicate')
  const refused = duration.labels('refused')
  const signatures = new Counter({ name: 'tierhook_signatures_total', help: 'Accepted webhooks by the secret that their signature matches, in the order of VOUCHERIFY_WEBHOOK_SECRETS.', labelNames: ['secret'], registers })
  const bySecret = Array.from({ length: secrets }, (_, index) => {
    const labels = { secret: String(index + 1) }
    signatures.inc(labels, 0)
    return { labels, count: 0 }
  })
  // The library builds a text for each increment. To do that once per scrape and not for each webhook, webhooks are counted here.
  const acceptedSeries = new Map<string, Series>()
  const refusedSeries = new Map<string, Series>()

  function seriesOf ({ eventType, verdict, outcome }: AcceptedWebhook): Series {
    const known = findEvent(eventType) !== undefined
    const key = `${known ? eventType : 'other'} ${verdict} ${outcome}`
    const series = acceptedSeries.get(key) ?? { labels: { event_type: known ? eventType : 'other', verdict, answer: outcome }, count: 0 }
    acceptedSeries.set(key, series)
    return series
  }

  function seriesOfRefusal ({ code }: RefusedWebhook): Series {
    const series = refusedSeries.get(code) ?? { labels: { event_type: 'none', verdict: 'none', answer: code.toLowerCase() }, count: 0 }
    refusedSeries.set(code, series)
    return series
  }

  return {
    observer: {
      webhookAnswered (answer) {
        const seconds = answer.ms / 1000
        if (answer.outcome === 'refused') {
          seriesOfRefusal(answer).count++
          refused.observe(seconds)
          return
        }
        seriesOf(answer).count++
        if (answer.outcome === 'accepted') accepted.observe(seconds)
        else duplicate.observe(seconds)
        const secret = answer.secretNumber === undefined ? undefined : bySecret[answer.secretNumber - 1]
        if (secret !== undefined) secret.count++
      }
    },
    look () {
      for (const series of [...acceptedSeries.values(), ...refusedSeries.values()]) {
        webhooks.inc(series.labels, series.count)
        series.count = 0
      }
      for (const secret of bySecret) {
        signatures.inc(secret.labels, secret.count)
        secret.count = 0
      }
    }
  }
}
