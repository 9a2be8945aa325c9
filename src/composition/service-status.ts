import { findNeeds } from '../admin-api/needs.js'
import type { Status } from '../admin-api/status.js'
import type { KnownForwarder } from '../delivery/operator-requests.js'
import type { Operator } from '../delivery/operator.js'
import type { SupervisedForwarder } from './delivery-supervisor.js'
import type { Watch } from './watch.js'

export interface ServiceStatusOptions {
  readonly version: string
  readonly operator: Pick<Operator, 'lastSequence'>
  readonly watch: Pick<Watch, 'readiness' | 'disk' | 'store' | 'failingSince' | 'retryBudget' | 'missingEvents' | 'webhookStatus'>
  readonly forwarders: () => readonly SupervisedForwarder[]
  readonly now: () => number
}

/** Makes a function that reports the service's status. The time of this call is the service's start. */
export function createServiceStatus ({ version, operator, watch, forwarders, now }: ServiceStatusOptions): () => Promise<Status> {
  const startedAt = new Date(now()).toISOString()
  return async () => {
    const [reasons, lastSequence, storeBytes, diskFreeBytes, store] = await Promise.all([
      watch.readiness(), operator.lastSequence().catch(() => null), watch.disk.storeBytes(), watch.disk.freeBytes(), watch.store()
    ])
    const sum = (count: (forwarder: KnownForwarder) => number): number | null => store?.forwarders.reduce((total, each) => total + count(each), 0) ?? null
    return {
      version,
      startedAt,
      ready: reasons.length === 0,
      reasons: [...reasons],
      lastSequence,
      storeBytes: storeBytes ?? null,
      diskFreeBytes: diskFreeBytes ?? null,
      needs: [...findNeeds({
        reasons, store, running: forwarders(), failingSince: watch.failingSince, retryBudget: watch.retryBudget(), missingEvents: watch.missingEvents(), webhookStatus: watch.webhookStatus(), now: now()
      })],
      counts: { backlog: sum(({ pending, retrying }) => pending + retrying), deadLetters: sum(({ dead }) => dead), quarantined: store?.quarantined ?? null }
    }
  }
}
