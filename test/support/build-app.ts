import type { Test } from 'tap'
import { Agent } from 'undici'
import { v7 as uuidv7 } from 'uuid'
import { systemClock } from '../../src/delivery/clock.js'
import type { NewDelivery } from '../../src/delivery/delivery.js'
import type { Journal } from '../../src/delivery/journal.js'
import { createApp, type AppOptions } from '../../src/ingress/app.js'
import { createLateness } from '../../src/ingress/lateness.js'
import { captureLog, type CapturedLog } from './capture-log.js'
import { webhookClient, type WebhookClient } from './post-webhook.js'

export interface BuiltApp extends WebhookClient {
  readonly url: string
  readonly port: number
  readonly log: CapturedLog
}

/** Starts only the application, on a free port, to test situations that cannot be caused in a whole service. */
export async function buildApp (t: Test, { append, ...options }: Partial<AppOptions> & { readonly append?: Journal['append'] } = {}): Promise<BuiltApp> {
  const log = captureLog()
  const app = createApp({
    logger: log.logger,
    journal: {
      append: append ?? (async ({ id, verdict }: NewDelivery) => ({ status: 'stored', id, verdict }))
    },
    newId: uuidv7,
    now: Date.now,
    dedupeUnidentifiedMs: 0,
    lateness: createLateness({ windowMs: 15 * 86_400_000, clock: systemClock, logger: log.logger }),
    bodyLimitBytes: 1_048_576,
    trustProxy: false,
    secrets: [],
    // The host name in the raw requests of tests.
    hostNames: ['x'],
    requiredHeaders: [],
    sourceFilter: undefined,
    policy: { invalid: 'quarantine', unvalidated: 'forward', rawPayloads: 'accept' },
    customWebhooks: [],
    readiness: () => [],
    ...options
  })
  const agent = new Agent()
  t.teardown(async () => {
    await agent.destroy()
    await app.close()
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return { ...webhookClient(url, agent, options.secrets?.[0]), url, port: Number(new URL(url).port), log }
}
