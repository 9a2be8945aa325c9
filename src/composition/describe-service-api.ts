import { pino } from 'pino'
import { systemClock } from '../delivery/clock.js'
import { createNewId } from '../delivery/new-id.js'
import { healthRoutes } from '../ingress/health-routes.js'
import { webhookRoutes } from '../ingress/webhook-routes.js'
import { createRemoteOperator } from './remote-operator.js'
import type { ApiDescription } from '../admin-api/api-description.js'
import { createLiveFeed } from '../admin-api/live-feed.js'
import { addOperatorRoutes } from '../admin-api/operator-routes.js'

/** Describes the answers of both listeners, without a running service. */
export async function describeServiceApi ({ version }: { readonly version: string }): Promise<ApiDescription> {
  const { describeApi } = await import('../admin-api/api-description.js')
  const never = async (): Promise<never> => { throw new Error('What is described is not called') }
  return await describeApi({
    version,
    addPublicRoutes (app) {
      app.register(healthRoutes, { readiness: () => [] })
      app.register(webhookRoutes, {
        journal: { append: never },
        newId: createNewId(systemClock.now),
        now: systemClock.now,
        dedupeUnidentifiedMs: 0,
        lateness: { isLate: () => false, accepted: () => {} },
        secrets: [],
        policy: { invalid: 'quarantine', unvalidated: 'forward', rawPayloads: 'accept' },
        // A path parameter stands for the names that a service is configured with.
        customWebhooks: [':name'],
        limitBytes: 0,
        arrivingBytes: 0,
        checkOrigin: () => {},
        onRefusal: () => {}
      })
    },
    addOperatorRoutes (app) {
      const logger = pino({ level: 'silent' })
      // Neither of the two does anything before it is called.
      const operator = createRemoteOperator({ dataDir: '', logger })
      const liveFeed = createLiveFeed({ logger, lastSequence: operator.lastSequence, monotonic: systemClock.monotonic })
      addOperatorRoutes(app, {
        operator,
        liveFeed,
        status: never,
        drift: never,
        resetDrift: () => 0,
        retryBudget: never,
        missingEvents: never,
        webhookStatus: never,
        history: never,
        metrics: { contentType: 'text/plain', text: never },
        forwarders: () => [],
        lastOutcome: () => undefined,
        onChange: () => {},
        noteAction: () => {},
        rememberWho: (request) => request,
        actions: never,
        describe: never
      })
    }
  })
}
