import { Type } from '@sinclair/typebox'
import { Problem } from '../errors/problem.js'

/** Query parameters of a paged list. */
export const pageParameters = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50, description: 'How many at most.' })),
  cursor: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_-]{1,40}$', description: 'The `next` of the previous answer.' }))
}

export const DEFAULT_LIMIT = 50

export const NextSchema = Type.Union([Type.String(), Type.Null()], {
  description: 'The `cursor` of the next page; null on the last page. A page may be empty although more pages follow, because each page looks at a limited number of records.'
})

/** @returns the cursor of the next page; `null` if there is none */
export function cursorOf (next: number | undefined): string | null {
  return next === undefined ? null : Buffer.from(`before ${next}`).toString('base64url')
}

/** @throws {Problem} PARAMETERS_WRONG */
export function readCursor (cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined
  const sequence = /^before (\d{1,16})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'))?.[1]
  if (sequence !== undefined) return Number(sequence)
  throw new Problem('PARAMETERS_WRONG', { detail: 'The cursor is not the `next` of an answer.', faults: [{ pointer: '/cursor', message: 'must be the next of an answer' }] })
}
