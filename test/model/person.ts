import type { Operator } from '../../src/delivery/operator.js'
import type { ModelEngine } from './engine.js'
import type { History, Sent } from './history.js'
import type { Stored } from './invariants.js'
import { DEDUPE_WINDOW_MS, RETENTION_MS } from './life.js'

/** What a person works on. */
export interface Place {
  readonly engine: ModelEngine
  readonly dataDir: string
  readonly now: () => number
  readonly stored: Stored
  readonly history: History
}

/** Where nothing could be opened yet there is nothing to work on. */
async function withOperator<T> ({ engine, dataDir, now, stored }: Place, work: (operator: Operator) => Promise<T>): Promise<T | undefined> {
  if (stored.forwarders.length === 0) return undefined
  const operator = engine.openOperator({ dataDir, now })
  try {
    return await work(operator)
  } finally {
    await operator.close()
  }
}

export async function replay (place: Place, { sequence, delivery }: Sent, name: string): Promise<void> {
  const sink = place.history.sinks.get(name)
  if (sequence === undefined || sink === undefined || !place.stored.forwarders.some((row) => row.name === name)) return
  const replayed = await withOperator(place, async (operator) => await operator.replay({ sequences: [sequence], forwarders: [name], finishedOnly: false, description: 'model', dryRun: false }))
  if (replayed?.replays === 1 && sink.wants(delivery)) sink.replaysAsked.set(delivery.id, (sink.replaysAsked.get(delivery.id) ?? 0) + 1)
}

export async function release (place: Place, sent: Sent): Promise<void> {
  const { sequence, delivery } = sent
  if (sequence === undefined) return
  const results = await withOperator(place, async (operator) => await operator.release({ sequences: [sequence], force: true }))
  if (results?.[0]?.status !== 'released') return
  sent.quarantined = false
  sent.released = true
  for (const sink of place.history.sinks.values()) if (sink.began !== undefined) sink.released.add(delivery.id)
}

export async function forget (place: Place, name: string): Promise<void> {
  await withOperator(place, async (operator) => {
    while (!(await operator.forget({ forwarder: name, limit: 2 })).done);
  })
  place.history.sinks.delete(name)
}

export async function prune (place: Place): Promise<void> {
  const receivedBefore = place.now() - RETENTION_MS
  await withOperator(place, async (operator) => {
    for (let after: number | undefined = 0; after !== undefined;) {
      after = (await operator.prune({ now: place.now(), quarantinedBefore: -Infinity, receivedBefore, maxBytes: 0, keysBefore: place.now() - DEDUPE_WINDOW_MS, after, limit: 3 })).next
    }
  })
}
