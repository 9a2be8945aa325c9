import t from 'tap'
import { LoyaltyTierSchema } from '../../../src/voucherify/objects/loyalty-tier.js'
import { compileValidator } from '../../../src/voucherify/validate.js'
import { tier } from '../support/full-objects.js'

const validate = compileValidator(LoyaltyTierSchema)

t.test('a rule is told by the form of its type', t => {
  const rules = (rule: unknown) => validate({ ...tier, earning_rules: { 'a/b~c': rule } })
  t.strictSame(rules({ type: 'MULTIPLY', points: 'x' }), [{ pointer: '/earning_rules/a~1b~0c/multiplier', message: 'is required' }])
  t.strictSame(rules({ type: 'CUSTOM', points: 1.5 }), [{ pointer: '/earning_rules/a~1b~0c/points', message: 'must be an integer' }])
  t.strictSame(rules({ type: 'ADD' }), [{ pointer: '/earning_rules/a~1b~0c/type', message: 'must be one of MULTIPLY, CUSTOM' }])
  t.strictSame(rules({}), [{ pointer: '/earning_rules/a~1b~0c/type', message: 'is required' }])
  t.strictSame(rules(null), [{ pointer: '/earning_rules/a~1b~0c', message: 'must be an object' }])
  t.end()
})

t.test('a rule under the key __proto__ is validated like any other', t => {
  t.strictSame(validate({ ...tier, rewards: JSON.parse('{"__proto__":{"type":"ADD"}}') }), [
    { pointer: '/rewards/__proto__/type', message: 'must be one of MULTIPLY, CUSTOM' }
  ])
  t.end()
})
