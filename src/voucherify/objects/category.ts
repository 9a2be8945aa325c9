import { Type, type Static } from '@sinclair/typebox'
import { dateTime } from './date-time.js'
import { documented, oneOf, optional } from './optional.js'

/** A category that a campaign is filed under. */
export const CategorySchema = Type.Object({
  id: documented(Type.String({ description: 'The category, `cat_…`' })),
  name: documented(Type.String({ description: 'What the team calls the category' })),
  hierarchy: documented(Type.Integer({ description: 'Its rank among the categories' })),
  created_at: documented(dateTime('When the category was made')),
  object: documented(oneOf(['category'], 'What kind of object this is')),
  updated_at: optional(dateTime('When the category was last changed')),
  stacking_rules_type: optional(oneOf(['JOINT', 'EXCLUSIVE'], 'Whether its discounts combine with those of other categories'))
}, { description: 'A category that a campaign is filed under' })

export type Category = Static<typeof CategorySchema>
