import { Type } from '@sinclair/typebox'

/** What an event is called, and what happened. */
export interface Words { readonly title: string, readonly description: string }

/** Whatever is not null counts as there: what is wrong with it is told at its own key, and only there. */
export function present () {
  return Type.Not(Type.Null())
}
