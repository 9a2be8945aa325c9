import type { Shape } from './controlled-forwarder.js'
import type { Sink } from './history.js'

/** The forwarders whose destinations are in our hands; beside them there is always the real file forwarder. */
export const shapes: Readonly<Record<string, Shape & { readonly start: 'now' | 'beginning' }>> = {
  lanes: { name: 'lanes', order: 'customer', concurrency: 3, batchSize: 1, start: 'now' },
  batch: { name: 'batch', order: 'arrival', concurrency: 1, batchSize: 3, start: 'now' },
  free: { name: 'free', order: 'none', concurrency: 2, batchSize: 2, start: 'beginning' }
}
export const controlled = Object.keys(shapes)
export const eventTypes = ['customer.loyalty.tier.upgraded', 'customer.loyalty.tier.left'] as const

/** What is to be known of a forwarder of which nothing has happened yet. */
export function newSink (name: string): Sink {
  return {
    name,
    keepsOrder: shapes[name]?.order ?? 'arrival',
    wants: name === 'free' ? ({ eventType }) => eventType !== eventTypes[1] : () => true,
    began: undefined,
    cursor: 0,
    done: new Set(),
    replaysDone: new Map(),
    replaysAsked: new Map(),
    deadReplays: new Set(),
    released: new Set(),
    begun: new Map(),
    underWay: new Set()
  }
}
