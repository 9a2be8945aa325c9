import { Type, type Static } from '@sinclair/typebox'
import { anyObject, oneOf, optional } from './optional.js'

/**
 * The customer of an event, in Voucherify's simplified form. The documentation marks no key as required. Without its id, the customer cannot be
 * identified.
 */
export const CustomerSchema = Type.Object({
  id: Type.String({ description: 'The customer, `cust_…`' }),
  name: optional(Type.String({ description: 'The customer\'s name' })),
  email: optional(Type.String({ description: 'The customer\'s e-mail address' })),
  source_id: optional(Type.String({ description: 'The customer in the team\'s own system' })),
  metadata: optional(anyObject('The team\'s own fields')),
  object: optional(oneOf(['customer'], 'What kind of object this is'))
}, { description: 'The customer that the event is about' })

export type Customer = Static<typeof CustomerSchema>
