import { findEvent, type EventBody, type EventKind, type EventType } from './catalogue.js'
import type { Envelope, EventSource } from './envelope.js'
import { bodyRecipes, ofCustomer } from './samples/body.js'
import { createRecipe, type Recipe, type SampleOptions } from './samples/recipe.js'

export { breakSample, type BrokenEnvelope } from './samples/break-sample.js'
export type { SampleOptions } from './samples/recipe.js'

/** The envelope of a sample. It has all keys that the schema of its envelope requires. */
export type SampleEnvelope<T extends EventType = EventType> = Omit<Envelope, 'data' | 'event'> & {
  id: string
  data: EventBody<T>
  event: Omit<Envelope['event'], 'type'> & { id: string, type: T }
}

/** Makes a body of an event that is valid by its schema. The same type, index, seed and time give the same body. */
export function sampleEvent<T extends EventType> (type: T, options: SampleOptions): EventBody<T> {
  return bodyRecipes[type](createRecipe(options))
}

/**
 * Makes a body in the envelope that its sender would put around it. A distribution names the event freely, and the project's webhook by its
 * type. Every type, index and seed has its own event id and send-out id.
 * @param kind the sender named in the envelope; by default the one that sends this event
 */
export function sampleEnvelope<T extends EventType> (type: T, options: SampleOptions, kind = findEvent(type)?.kind ?? 'project'): SampleEnvelope<T> {
  const recipe = createRecipe(options)
  return { ...envelopeAround(type, recipe, kind), data: bodyRecipes[type](recipe) }
}

/** Makes an envelope with an invented customer, for an event that is not in the catalogue. */
export function sampleOpaqueEnvelope (type: string, options: SampleOptions, kind: EventKind = 'project'): Envelope {
  const recipe = createRecipe(options)
  return { ...envelopeAround(type, recipe, kind), data: ofCustomer(recipe) }
}

function envelopeAround<T extends string> (type: T, recipe: Recipe, kind: EventKind) {
  const distributed = kind === 'distribution'
  const ofCustomer = type.startsWith('customer.')
  return {
    id: recipe.id('whs_', type, recipe.index),
    project_id: recipe.id('proj_', 'tea'),
    created_at: recipe.daysAgo(0),
    type: distributed ? recipe.pick<string>('event name', type, 'Tier changed', 'Stufe geändert ✨', '') : type,
    source: {
      id: distributed ? recipe.id('distr_', type) : recipe.id('wh_', 'tea'),
      object: distributed ? 'distribution' as const : 'webhook' as const,
      target_url: 'https://hooks.shop.example/voucherify'
    },
    event: {
      id: recipe.id('ev_', type, recipe.index),
      type,
      created_at: recipe.daysAgo(0),
      entity_id: ofCustomer ? recipe.id('cust_', recipe.index) : recipe.id('ltr_', recipe.index),
      group_id: recipe.id('v-', type, recipe.index),
      event_source: sampleCause(recipe)
    }
  }
}

function sampleCause (recipe: Recipe): EventSource {
  return recipe.pick<EventSource>('cause',
    { channel: 'INTERNAL' },
    { channel: 'USER_PORTAL', user: { id: recipe.id('user_', 'team') } },
    { channel: 'API', api_key: { name: 'Till', app_id: recipe.id('', 'till') } },
    { channel: 'CLIENT_API', user: null, api_key: null }
  )
}
