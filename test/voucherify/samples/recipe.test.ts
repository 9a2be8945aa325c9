import t from 'tap'
import { createRecipe } from '../../../src/voucherify/samples/recipe.js'

const now = new Date('2026-03-01T00:00:00Z')

t.test('a recipe makes the same values again, and others for another index or seed', t => {
  const values = (index: number, seed?: string) => {
    const recipe = createRecipe({ index, now, ...(seed === undefined ? {} : { seed }) })
    return [recipe.id('cust_', index), recipe.number('n', 1_000_000), recipe.daysAgo(1)]
  }
  t.strictSame(values(1), values(1))
  t.not(values(1)[0], values(2)[0])
  t.not(values(1)[1], values(2)[1])
  t.not(values(1)[0], values(1, 'other')[0])
  t.equal(values(1)[2], '2026-02-28T00:00:00.000Z')
  t.match(values(1)[0], /^cust_[0-9a-f]{24}$/)
  t.end()
})

t.test('every choice occurs', t => {
  const picked = new Set(Array.from({ length: 100 }, (_, index) => createRecipe({ index, now }).pick('x', 'a', 'b', 'c')))
  t.strictSame([...picked].sort(), ['a', 'b', 'c'])
  t.end()
})
