import t from 'tap'
import { LoyaltyTierSchema } from '../../../src/voucherify/objects/loyalty-tier.js'
import { compileValidator } from '../../../src/voucherify/validate.js'
import { tier } from '../support/full-objects.js'

const validate = compileValidator(LoyaltyTierSchema)
const rules = (rule: unknown) => validate({ ...tier, earning_rules: { 'a/b~c': rule } })

t.test('a rule needs none of its keys, and its type may be new', t => {
  for (const rule of [{}, { type: 'MULTIPLY' }, { type: 'CUSTOM' }, { type: 'ADD' }, { multiplier: 2 }, { points: 5 }, { type: null, multiplier: null, points: null }]) {
    t.strictSame(rules(rule), [], JSON.stringify(rule))
  }
  t.strictSame(validate({ ...tier, earning_rules: null, rewards: undefined }), [])
  t.end()
})

t.test('a value of another type is reported', t => {
  t.strictSame(rules({ type: 'MULTIPLY', multiplier: 'x' }), [{ pointer: '/earning_rules/a~1b~0c/multiplier', message: 'must be a number' }])
  t.strictSame(rules({ type: 'CUSTOM', points: 1.5 }), [{ pointer: '/earning_rules/a~1b~0c/points', message: 'must be an integer' }])
  t.strictSame(rules({ type: 5 }), [{ pointer: '/earning_rules/a~1b~0c/type', message: 'must be a string' }])
  t.strictSame(rules(null), [{ pointer: '/earning_rules/a~1b~0c', message: 'must be an object' }])
  t.strictSame(validate({ ...tier, rewards: [] }), [{ pointer: '/rewards', message: 'must be an object' }])
  t.end()
})

t.test('a rule under the key __proto__ is validated like any other', t => {
  t.strictSame(validate({ ...tier, rewards: JSON.parse('{"__proto__":{"type":5}}') }), [
    { pointer: '/rewards/__proto__/type', message: 'must be a string' }
  ])
  t.end()
})
