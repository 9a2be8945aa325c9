import { pino } from 'pino'
import { systemClock } from './delivery/clock.js'
import { createNewId } from './delivery/new-id.js'
import { addHealthRoutes } from './ingress/health-routes.js'
import { addWebhookRoutes } from './ingress/webhook-routes.js'
import { createRemoteOperator } from './journal/sqlite/remote-operator.js'
import type { ApiDescription } from './operations/api-description.js'
import { createLiveFeed } from './operations/live-feed.js'
import { addOperatorRoutes } from './operations/operator-routes.js'

/** Describes what both listeners of a service answer, without one. */
export async function describeServiceApi ({ version }: { readonly version: string }): Promise<ApiDescription> {
  const { describeApi } = await import('./operations/api-description.js')
  const never = async (): Promise<never> => { throw new Error('What is described is not called') }
  return await describeApi({
    version,
    addPublicRoutes (app) {
      addHealthRoutes(app, { readiness: () => [] })
      addWebhookRoutes(app, {
        journal: { append: never, openFeed: never, close: async () => {} },
        newId: createNewId(systemClock.now),
        now: systemClock.now,
        dedupeUnidentifiedMs: 0,
        lateness: { isLate: () => false, accepted: () => {} },
        secrets: [],
        policy: { invalid: 'quarantine', unvalidated: 'forward', rawPayloads: 'accept' },
        // A parameter of the path stands for whatever names a service is configured with.
        customWebhooks: [':name'],
        checkOrigin: () => {}
      })
    },
    addOperatorRoutes (app) {
      const logger = pino({ level: 'silent' })
      // Neither does anything before it is called.
      const operator = createRemoteOperator({ dataDir: '', logger })
      const liveFeed = createLiveFeed({ logger, lastSequence: operator.lastSequence, monotonic: systemClock.monotonic })
      addOperatorRoutes(app, {
        operator,
        liveFeed,
        status: never,
        drift: never,
        patience: never,
        silence: never,
        webhookStatus: never,
        metrics: { contentType: 'text/plain', text: never },
        forwarders: () => [],
        lastOutcome: () => undefined,
        onChange: () => {},
        describe: never
      })
    }
  })
}
