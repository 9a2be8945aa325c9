import { Type, type Static } from '@sinclair/typebox'
import { anyObject, optional } from './optional.js'

/** The customer that an event is about, in Voucherify's simplified form: the documents mark no key as required. */
export const CustomerSchema = Type.Object({
  id: optional(Type.String({ description: 'The customer, `cust_…`' })),
  name: optional(Type.String({ description: 'The customer\'s name' })),
  email: optional(Type.String({ description: 'The customer\'s e-mail address' })),
  source_id: optional(Type.String({ description: 'The customer in the team\'s own system' })),
  metadata: optional(anyObject('The team\'s own fields')),
  object: optional(Type.Literal('customer', { description: 'What kind of object this is' }))
}, { description: 'The customer that the event is about' })

export type Customer = Static<typeof CustomerSchema>
